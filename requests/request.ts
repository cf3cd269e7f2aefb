import * as z from 'zod/mini';
import type { Action } from '../core/authority.ts';
import type { Ports } from '../core/ports.ts';
import { text } from './fields.ts';
import { accept } from './problems.ts';

/** Who asks: the authenticated principal, and the door it came through. Never a field of the request. */
export interface Caller {
  readonly actor: string;
  /** `intake`: the responders' door, which contains a leak and does nothing else. */
  readonly via: RequestDoor;
}

/** `intake` depends on the least and may do the least; `report` takes what senders say; `operate` is everything else. */
export type RequestDoor = 'operate' | 'intake' | 'report';

export interface Request {
  /** What one has to be allowed to do (core/authority.ts). */
  readonly action: Action;
  /** Which door serves it where there are two. */
  readonly door: RequestDoor;
  /** Checks the input and does it. Throws Refused before the first effect for what does not fit the schema. */
  readonly run: (ports: Ports, input: unknown, actor: string) => Promise<unknown>;
}

/** Why, for the record. */
export const reason = text(500);

/** Names a request: the same id again is the same request. */
export const requestId = z.string().check(z.regex(/^[A-Za-z0-9-]{8,64}$/, 'must be 8 to 64 letters, digits and hyphens'));

/** One row of the table: what one must be allowed, a strict schema, and one use case. */
export function request<Schema extends z.ZodMiniType>(
  action: Action,
  schema: Schema,
  run: (ports: Ports, input: z.output<Schema>, actor: string) => Promise<unknown>,
  door: RequestDoor = 'operate',
): Request {
  return { action, door, run: async (ports, input, actor) => run(ports, accept(schema, input, 'the request'), actor) };
}
