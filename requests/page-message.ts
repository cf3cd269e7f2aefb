import * as z from 'zod/mini';
import type { Page } from '../core/page.ts';

const text = z.string().check(z.maxLength(2000));
const line = z.object({ escalation: text, keyId: z.nullable(text), text, reason: text, since: text });
const page = z.object({
  id: text,
  time: text,
  action: z.enum(['trigger', 'resolve']),
  severity: z.enum(['warning', 'critical']),
  level: z.enum(['owner', 'team', 'on-call']),
  to: text,
  thread: text,
  title: text,
  lines: z.array(line),
  more: z.int(),
});

/** What CloudWatch publishes when an alarm changes: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html */
const alarm = z.object({
  AlarmName: text,
  NewStateValue: z.enum(['OK', 'ALARM', 'INSUFFICIENT_DATA']),
  NewStateReason: z.string(),
  StateChangeTime: text,
});

const call = z.object({ Records: z.array(z.object({ Sns: z.object({ Message: z.string() }) })) });

/** The messages with which SNS calls a function; none in anything else. */
export function messagesOf(event: unknown): string[] {
  const called = call.safeParse(event);
  return called.success ? called.data.Records.map(({ Sns }) => Sns.Message) : [];
}

/**
 * The page in a message of the pages topic: one of ours, or an alarm, which is for whoever is on call and over when it is OK again. Undefined for
 * anything else.
 */
export function pageOf(message: string): Page | undefined {
  let document: unknown;
  try {
    document = JSON.parse(message);
  } catch {
    return undefined;
  }
  const ours = page.safeParse(document);
  if (ours.success) return ours.data;
  const theirs = alarm.safeParse(document);
  if (!theirs.success) return undefined;
  const { AlarmName: name, NewStateValue: state, NewStateReason: reason, StateChangeTime: time } = theirs.data;
  const thread = `alarm/${name}`;
  return {
    ...{
      id: `${thread}/${time}`,
      time,
      action: state === 'OK' ? 'resolve' : 'trigger',
      severity: 'critical',
      level: 'on-call',
      to: 'on-call',
    },
    ...{
      thread,
      title: name,
      lines: [{ escalation: thread, keyId: null, text: reason.slice(0, 1000), reason: name, since: time }],
      more: 0,
    },
  };
}
