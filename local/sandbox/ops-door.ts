import * as z from 'zod/mini';
import { type Behaviour, type Fault, faultKinds, operations } from './behaviour.ts';
import type { LogLine } from './journal.ts';
import { failed, type Reply } from './vendor-rules.ts';

/** What tests, the demo and a curious person may do to the vendor, in process or under `/_sandbox` with the admin key. */
export interface Door {
  /** The request log from line `since` (counted from 0). */
  log(since?: number): readonly LogLine[];
  behave(change: Partial<Behaviour>): void;
  fault(fault: Fault): void;
  clearFaults(): void;
  /** Brings every delayed change into effect now. */
  settle(): void;
  /** Makes a key outside Rekey, as a hand in the vendor's console would. */
  stranger(principal: string, name?: string): { readonly id: string; readonly value: string };
  /** Turns a disabled key on again, in the vendor's console. */
  consoleEnable(id: string): void;
}

const count = z.int().check(z.minimum(0));
const behaviourChange = z.strictObject({
  maxLive: z.optional(count),
  countsDisabled: z.optional(z.boolean()),
  activateMs: z.optional(count),
  disableMs: z.optional(count),
  listMs: z.optional(count),
  lastUsedMs: z.optional(z.int().check(z.minimum(1))),
  whoamiIsUse: z.optional(z.boolean()),
  pageSize: z.optional(z.int().check(z.minimum(1))),
});

const faultBody = z.strictObject({
  kind: z.enum(faultKinds),
  on: z.optional(z.enum(operations)),
  count: z.optional(z.int().check(z.minimum(1))),
  ms: z.optional(count),
  retryAfterSeconds: z.optional(count),
  location: z.optional(z.string()),
});

const strangerBody = z.strictObject({ principal: z.string().check(z.minLength(1)), name: z.optional(z.string()) });

/** Answers one request to the door: its path without `/_sandbox`, and its body. */
export function doorReply(door: Door, method: string, path: string, since: string | null, body: unknown): Reply {
  const done: Reply = { status: 204 };
  const call = `${method} ${path}`;
  if (call === 'GET /log') return { status: 200, body: { lines: door.log(Number(since ?? 0)) } };
  if (call === 'PATCH /behaviour') return given(behaviourChange, body, (change) => door.behave(without(change)));
  if (call === 'POST /faults') return given(faultBody, body, (fault) => door.fault(without(fault)));
  if (call === 'POST /strangers') {
    return given(strangerBody, body, ({ principal, name }) => door.stranger(principal, name));
  }
  const [, id] = /^POST \/console\/([\w-]+)\/enable$/.exec(call) ?? [];
  if (id) door.consoleEnable(id);
  else if (call === 'DELETE /faults') door.clearFaults();
  else if (call === 'POST /settle') door.settle();
  else return failed(404, 'no_such_path');
  return done;
}

function given<T>(schema: z.ZodMiniType<T>, body: unknown, act: (content: T) => unknown): Reply {
  const parsed = schema.safeParse(body);
  if (!parsed.success) return failed(400, 'bad_body');
  const result = act(parsed.data);
  return result === undefined ? { status: 204 } : { status: 201, body: result };
}

type Given<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** The object without the fields that are undefined. */
function without<T extends object>(content: T): Given<T> {
  return Object.fromEntries(Object.entries(content).filter(([, field]) => field !== undefined)) as Given<T>;
}
