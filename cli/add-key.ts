import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { Refused, RekeyError } from '../core/errors.ts';
import type { KeyFacts } from '../core/key.ts';
import type { Registered } from '../core/register.ts';
import type { Begun } from '../core/rotate/begin.ts';
import type { KeyReport } from '../core/show.ts';
import { Failed } from './output.ts';
import type { Session } from './session.ts';
import type { ValueSource } from './value-source.ts';

/** How a key gets its first version, if at all. */
export type First =
  | { readonly how: 'none' | 'mint' }
  | { readonly how: 'adopt'; readonly source: ValueSource; readonly credentialId?: string };

/** What became of one row. `failure` is what stopped it; everything before it is done and stays. */
export interface Added {
  readonly keyId: string;
  readonly outcome: Registered['outcome'] | 'refused';
  readonly tier?: string;
  readonly nextDueAt?: string | null;
  readonly version?: string;
  readonly failure?: { readonly code: string; readonly message: string; readonly problems: readonly { path: string; message: string }[] };
}

/**
 * Registers one key and gives it its first version. A key that has a version already keeps it, so that an interrupted run can be run again.
 * What was refused is in the answer; only an installation that cannot be reached, or bad input for a value, ends the run. Throws Refused.
 */
export async function addKey(session: Session, facts: KeyFacts, first: First): Promise<Added> {
  let registered: Registered;
  try {
    registered = await session.door.ask<Registered>('key.register', { facts });
  } catch (error) {
    return { keyId: facts.id, outcome: 'refused', failure: failureOf(error) };
  }
  const { keyId, outcome, tier, nextDueAt } = registered;
  const row = { keyId, outcome, tier, nextDueAt };
  try {
    const version = first.how === 'none' ? undefined : await firstVersion(session, keyId, first);
    return { ...row, ...(version === undefined ? {} : { version }) };
  } catch (error) {
    return { ...row, failure: failureOf(error) };
  }
}

async function firstVersion(session: Session, keyId: string, first: Exclude<First, { how: 'none' }>): Promise<string | undefined> {
  const { state, current, operation } = await session.door.ask<KeyReport>('key.show', { keyId });
  if (current !== null) return `${current}, unchanged`;
  if (operation) return `${operation.newVersion}, on its way`;
  if (state !== 'registered') throw new Refused('E_EXISTS', `${keyId} is ${state}`);
  if (first.how === 'adopt') return adopt(session, keyId, first);
  const begun = await session.door.ask<Begun>('key.mint', { keyId });
  return `${begun.newVersion}, on its way`;
}

async function adopt(session: Session, keyId: string, { source, credentialId }: Extract<First, { how: 'adopt' }>): Promise<string> {
  const chosen = credentialId === undefined ? {} : { credentialId };
  if ('token' in source) return adopted(session, { keyId, token: source.token, ...chosen });
  const value = await source.read();
  const [store, token] = [await session.door.secrets(), randomUUID()];
  await store.put(keyId, token, value);
  try {
    return await stored(() => adopted(session, { keyId, token, ...chosen }));
  } catch (error) {
    // A value that was not adopted keeps no label, so that nothing takes it for a version on its way.
    if (error instanceof Refused && error.code !== 'E_UNREACHABLE') await store.strip(keyId, token);
    throw error;
  }
}

/** Secrets Manager may take a second to show what it took. */
async function stored<T>(adopt: () => Promise<T>): Promise<T> {
  for (const waitMilliseconds of [300, 900]) {
    try {
      return await adopt();
    } catch (error) {
      if (!(error instanceof Refused && error.code === 'E_INPUT_EMPTY')) throw error;
      await pause(waitMilliseconds);
    }
  }
  return adopt();
}

async function adopted(session: Session, request: { keyId: string; token: string; credentialId?: string }): Promise<string> {
  const { version } = await session.door.ask<{ version: number }>('key.adopt', request);
  return `${version}, adopted`;
}

/** Ends the whole run for what the next row would meet too. */
function failureOf(error: unknown): NonNullable<Added['failure']> {
  const fatal = ['E_UNREACHABLE', 'E_CREDENTIALS', 'E_WRONG_ACCOUNT', 'E_FORBIDDEN', 'E_INPUT_EMPTY', 'E_TOO_LARGE'];
  if (error instanceof Refused && !fatal.includes(error.code))
    return { code: error.code, message: error.message, problems: error.problems };
  if (error instanceof Failed) return { code: error.code, message: error.message, problems: [] };
  if (error instanceof RekeyError && !(error instanceof Refused)) return { code: error.name, message: error.message, problems: [] };
  throw error;
}
