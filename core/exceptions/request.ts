import { commit } from '../commit.ts';
import { ConditionFailed, Refused } from '../errors.ts';
import type { Write } from '../inventory.ts';
import { exceptionsKey, getKey, hashed } from '../items.ts';
import type { Key } from '../key.ts';
import { noticeFor } from '../outbox.ts';
import { checks } from '../policy/checks.ts';
import type { Ports } from '../ports.ts';
import { after, instant } from '../time.ts';
import type { Exception } from './exception.ts';

/** What one has to say to be excepted from a rule: why, what is done instead, and until when. */
export interface ExceptionRequest {
  readonly keyId: string;
  /** `rotation`: the schedule; otherwise the name of a check of the policy. */
  readonly rule: string;
  readonly reason: string;
  readonly compensating: string;
  readonly until: string;
}

/** The exceptions that somebody's keys have or wait for. What has passed does not count and is dropped with the next one. */
interface Counted {
  readonly revision: number;
  readonly of: readonly { readonly id: string; readonly until: string }[];
}

const attempts = 5;

/**
 * Asks for an exception from one rule; it counts when somebody else has approved it, and ends by itself. The same question again, by the same
 * person on the same day, is the same exception. Throws Refused E_NOT_FOUND; E_INPUT_INVALID for a rule that no policy has, an end that is not
 * within the policy's longest exception, or an owner who has as many as the policy allows.
 */
export async function requestException(ports: Ports, request: ExceptionRequest, actor: string): Promise<Exception> {
  const now = instant(ports.clock.now());
  const { keyId, rule, reason, compensating } = request;
  const until = checked(ports, request, now);
  const id = `exception-${hashed([keyId, rule, actor, now.slice(0, 10)].join('|'), 20)}`;
  const exception: Exception = {
    ...{ id, rule, reason, compensating, requestedBy: actor, requestedAt: now, until },
    approvedBy: null,
    approvedAt: null,
  };
  for (let attempt = 0; ; attempt++) {
    const { owner } = (await getKey(ports, keyId)).facts;
    const counted = await count(ports, owner, exception, now);
    try {
      const key = await commit(ports, keyId, (fresh) => {
        if (fresh.exceptions.some((one) => one.id === id)) return null;
        const asks = `${actor} asks for an exception from ${rule} until ${until}: ${reason}; somebody else has to approve`;
        return {
          actor,
          writes: [counted],
          set: { exceptions: [...fresh.exceptions, exception] },
          notices: [
            noticeFor(ports, fresh, '', {
              type: 'key.approval',
              audience: '*',
              severity: 'warning',
              data: { action: 'look', reason: asks },
            }),
          ],
          events: [{ event: 'exception.asked', detail: { exception: id, rule, reason, compensating, until } }],
        };
      });
      return key.exceptions.find((one) => one.id === id) ?? exception;
    } catch (error) {
      // Somebody else asked for another key of the same owner at the same moment.
      if (!(error instanceof ConditionFailed) || attempt === attempts) throw error;
    }
  }
}

/**
 * Somebody else approves: from now on the rule does not count for the key, until the exception's end. Throws Refused E_NOT_FOUND, E_NOTHING_TO_DO,
 * E_FORBIDDEN when whoever asked approves it themselves.
 */
export function approveException(
  ports: Ports,
  request: { readonly keyId: string; readonly exceptionId: string },
  actor: string,
): Promise<Exception> {
  return decide(ports, request, (one) => {
    if (one.requestedBy === actor) throw new Refused('E_FORBIDDEN', `${actor} asked for ${one.id}: somebody else has to approve it`);
    const approved = { ...one, approvedBy: actor, approvedAt: instant(ports.clock.now()) };
    const detail = { exception: one.id, rule: one.rule, until: one.until, by: one.requestedBy };
    return { actor, becomes: approved, event: { event: 'exception.approved', detail } };
  });
}

/** The exception is not granted; the rule counts as before. Throws Refused E_NOT_FOUND, E_NOTHING_TO_DO. */
export function declineException(
  ports: Ports,
  request: { readonly keyId: string; readonly exceptionId: string; readonly reason: string },
  actor: string,
): Promise<Exception> {
  return decide(ports, request, (one) => {
    const detail = { exception: one.id, rule: one.rule, by: one.requestedBy, reason: request.reason };
    return { actor, becomes: null, event: { event: 'exception.declined', detail } };
  });
}

interface Decision {
  readonly actor: string;
  readonly becomes: Exception | null;
  readonly event: { readonly event: string; readonly detail: Readonly<Record<string, string>> };
}

async function decide(
  ports: Ports,
  { keyId, exceptionId }: { readonly keyId: string; readonly exceptionId: string },
  judge: (exception: Exception) => Decision,
): Promise<Exception> {
  let decided: Exception | undefined;
  await commit(ports, keyId, (key: Key) => {
    const one = key.exceptions.find(({ id }) => id === exceptionId);
    if (!one) throw new Refused('E_NOT_FOUND', `${keyId} has no exception ${exceptionId}`);
    if (one.approvedAt !== null || one.until <= instant(ports.clock.now()))
      throw new Refused('E_NOTHING_TO_DO', `${exceptionId} does not wait for a decision any more`);
    const { actor, becomes, event } = judge(one);
    decided = becomes ?? one;
    const exceptions = key.exceptions.flatMap((other) => (other.id !== exceptionId ? [other] : becomes ? [becomes] : []));
    return { actor, set: { exceptions }, events: [event] };
  });
  return decided as Exception;
}

function checked(ports: Ports, { rule, until: given }: ExceptionRequest, now: string): string {
  const rules = ['rotation', ...checks.map((check) => check.rule)];
  if (!rules.includes(rule))
    throw new Refused('E_INPUT_INVALID', 'the policy has no such rule', [{ path: 'rule', message: `must be one of ${rules.join(', ')}` }]);
  const latest = after(now, ports.policy.exceptions.maxSeconds);
  const parsed = Date.parse(given);
  const until = Number.isNaN(parsed) ? '' : instant(parsed);
  if (!(until > now && until <= latest))
    throw new Refused('E_INPUT_INVALID', 'an exception must end', [
      { path: 'until', message: `give an instant after now and not after ${latest}` },
    ]);
  return until;
}

async function count(ports: Ports, owner: string, exception: Exception, now: string): Promise<Write> {
  const key = exceptionsKey(owner);
  const known = (await ports.inventory.get(key)) as unknown as Counted | undefined;
  const open = (known?.of ?? []).filter(({ id, until }) => until > now && id !== exception.id);
  const most = ports.policy.exceptions.perOwner;
  if (open.length >= most)
    throw new Refused('E_INPUT_INVALID', `${owner} has as many exceptions as the policy allows`, [
      { path: 'keyId', message: `${open.length} of ${most}; the next one ends at ${open.map(({ until }) => until).sort()[0]}` },
    ]);
  const item = { ...key, revision: (known?.revision ?? 0) + 1, of: [...open, { id: exception.id, until: exception.until }] };
  return { do: 'put', item, when: [known ? { path: 'revision', is: '=', value: known.revision } : { item: 'absent' }] };
}
