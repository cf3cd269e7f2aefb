import { randomBytes } from 'node:crypto';
import type { Behaviour, Faults } from './behaviour.ts';
import { accepted, type Credentials, listed, never, type Stored, sha256 } from './credentials.ts';

/** What an operation of the vendor answers; a body of undefined is an empty one. */
export interface Reply {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface VendorState {
  readonly credentials: Credentials;
  readonly behaviour: () => Behaviour;
  readonly faults: Faults;
  readonly now: () => number;
  /** Makes the values; tests plant their own. */
  readonly mint: () => string;
}

/** The vendor's rules, without HTTP: what each call does and answers. */
export interface VendorRules {
  create(principal: string, name: string, scopes: readonly string[]): Reply;
  list(principal: string, cursor: string | null): Reply;
  get(principal: string, id: string): Reply;
  disable(principal: string, id: string): Reply;
  remove(principal: string, id: string): Reply;
  subject(operation: 'whoami' | 'work', value: string): Reply;
  /** A hand in the vendor's console: turns a credential on again. */
  consoleEnable(id: string): Reply;
  /** Brings every delayed change into effect. */
  settle(): void;
}

const vendorName = 'rekey-sandbox';

export function vendorRules(state: VendorState): VendorRules {
  const { credentials, faults, now } = state;
  const missing: Reply = failed(404, 'not_found');

  const end = (operation: 'disable' | 'delete', principal: string, id: string): Stored | undefined => {
    const found = credentials.find(principal, id);
    if (!found || faults.take(operation, 'disable-ignored')) return found;
    const late = faults.take(operation, 'disable-not-yet-effective');
    const refusedFrom = Math.min(found.refusedFrom ?? never, later(now(), late ? (late.ms ?? never) : state.behaviour().disableMs));
    const changed = { ...found, enabled: false, deleted: operation === 'delete', refusedFrom, ...listing(operation, listed(found, now())) };
    credentials.put(changed);
    return changed;
  };

  const listing = (operation: 'create' | 'disable' | 'delete', before: Stored['listedBefore']) => {
    const late = faults.take(operation, 'list-not-yet-consistent');
    return { listedFrom: later(now(), late ? (late.ms ?? never) : state.behaviour().listMs), listedBefore: before };
  };

  return {
    create(principal, name, scopes) {
      const { maxLive, countsDisabled, activateMs } = state.behaviour();
      const counted = credentials.of(principal).filter(({ enabled, deleted }) => !deleted && (enabled || countsDisabled));
      if (counted.length >= maxLive) return failed(409, 'limit_reached');
      const value = state.mint();
      const late = faults.take('create', 'create-not-yet-accepted');
      const created: Stored = {
        id: `key_${randomBytes(8).toString('hex')}`,
        principal,
        name,
        scopes,
        sha256: sha256(value),
        createdAt: now(),
        enabled: true,
        deleted: false,
        lastUsedAt: null,
        acceptedFrom: later(now(), late ? (late.ms ?? never) : activateMs),
        refusedFrom: null,
        ...listing('create', 'absent'),
      };
      credentials.put(created);
      return { status: 201, body: { ...shown(created, 'enabled'), value } };
    },

    list(principal, cursor) {
      const visible = credentials.of(principal).flatMap((credential) => {
        const as = listed(credential, now());
        return as === 'absent' ? [] : [shown(credential, as)];
      });
      const from = cursor === null ? 0 : Number(cursor);
      if (!Number.isSafeInteger(from) || from < 0) return failed(400, 'bad_cursor');
      const { pageSize } = state.behaviour();
      const next = from + pageSize < visible.length ? String(from + pageSize) : null;
      return { status: 200, body: { keys: visible.slice(from, from + pageSize), next } };
    },

    get(principal, id) {
      const found = credentials.find(principal, id);
      if (!found) return missing;
      const { lastUsedMs } = state.behaviour();
      const used = found.lastUsedAt === null ? null : new Date(Math.floor(found.lastUsedAt / lastUsedMs) * lastUsedMs).toISOString();
      return { status: 200, body: { ...shown(found, found.enabled ? 'enabled' : 'disabled'), lastUsedAt: used } };
    },

    disable(principal, id) {
      const changed = end('disable', principal, id);
      return changed ? { status: 200, body: { ...shown(changed, 'disabled') } } : missing;
    },

    remove: (principal, id) => (end('delete', principal, id) ? { status: 204 } : missing),

    subject(operation, value) {
      const found = credentials.byValue(value);
      if (faults.take(operation, 'refuses-everything')) return refused;
      const yes = faults.take(operation, 'accepts-everything') || (found && accepted(found, now()));
      if (!yes) return refused;
      if (found && (operation === 'work' || state.behaviour().whoamiIsUse)) credentials.put({ ...found, lastUsedAt: now() });
      if (faults.take(operation, 'wrong-identity'))
        return { status: 200, body: { vendor: 'somebody-else', principal: 'nobody', keyId: 'none' } };
      if (operation === 'work') return { status: 200, body: { vendor: vendorName, done: true } };
      const { principal = 'anyone', id = 'any', scopes = [] } = found ?? {};
      return { status: 200, body: { vendor: vendorName, principal, keyId: id, scopes } };
    },

    consoleEnable(id) {
      const found = credentials.byId(id);
      if (!found || found.deleted) return missing;
      credentials.put({ ...found, enabled: true, refusedFrom: null, listedFrom: now() });
      return { status: 200, body: shown({ ...found, enabled: true }, 'enabled') };
    },

    settle() {
      for (const found of credentials.all()) {
        const refusedFrom = found.refusedFrom === null ? null : Math.min(found.refusedFrom, now());
        credentials.put({
          ...found,
          refusedFrom,
          acceptedFrom: Math.min(found.acceptedFrom, now()),
          listedFrom: Math.min(found.listedFrom, now()),
        });
      }
    },
  };
}

/** An error answer of the vendor. */
export function failed(status: number, code: string, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status, body: { vendor: vendorName, error: { code } }, headers };
}

const refused: Reply = failed(401, 'invalid_key');

function shown({ id, name, scopes, createdAt }: Stored, as: 'enabled' | 'disabled') {
  return { id, name, scopes, enabled: as === 'enabled', createdAt: new Date(createdAt).toISOString() };
}

function later(now: number, ms: number): number {
  return ms >= never ? never : now + ms;
}
