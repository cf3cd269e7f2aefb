import { randomBytes } from 'node:crypto';
import { faultsOf, type Shape } from './shape.ts';

/** One credential as the vendor keeps it. Instants in milliseconds since 1970. */
export interface Held {
  readonly id: string;
  readonly value: string;
  readonly createdAt: number;
  name: string;
  enabled: boolean;
  deleted: boolean;
  /** From when on it is accepted, and from when on refused: the vendor's propagation. */
  acceptedFrom: number;
  refusedFrom: number;
  lastUsedAt: number | null;
  /** Whatever else this vendor keeps: an owner, an expiry, policies. */
  more: Record<string, unknown>;
}

/** A request as it reaches the vendor. */
export interface Incoming {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A request that fits its route: what the path, the query and the body say. */
export interface Call extends Incoming {
  readonly params: Readonly<Record<string, string>>;
  readonly json: Readonly<Record<string, unknown>>;
  readonly form: Readonly<Record<string, string>>;
}

export interface Reply {
  readonly status: number;
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One call of the vendor's documentation. What is not said here, the vendor does not know. */
export interface Route {
  readonly call: string;
  readonly who: 'admin' | 'subject' | 'anybody';
  readonly query?: Shape;
  readonly json?: Shape;
  readonly form?: Shape;
  readonly answer: (call: Call, vendor: Vendor) => Reply;
}

/** A vendor, described from its documentation. */
export interface Description {
  /** The provider that is tested with it. */
  readonly provider: string;
  readonly docs: readonly string[];
  /** The admin credential that it accepts, and the parameters of a key that fit it. */
  readonly admin: Readonly<Record<string, string>>;
  readonly params: Readonly<Record<string, unknown>>;
  /** Whether a request carries the admin credential. */
  readonly isAdmin: (call: Incoming) => boolean;
  /** The value that a request presents, where it does. */
  readonly presents: (call: Incoming) => string | undefined;
  /** What it has of a value that it never sees: the public half of a key. Its own credentials are made of that. */
  readonly keeps?: (value: string) => string;
  /** A value of the vendor's shape. */
  readonly mint: () => string;
  /** The id of the credential that has this value. */
  readonly id: (value: string) => string;
  /** Most credentials; null where the vendor documents no limit. */
  readonly limit: number | null;
  readonly countsDisabled?: boolean;
  /** What it answers to an admin credential that it does not accept, to one call too many, and when it is broken. */
  readonly refusal: Reply;
  readonly slowDown: Reply;
  readonly broken: Reply;
  /** What it answers to a request that its documentation does not have. */
  readonly invalid: Reply;
  /** Hosts that it has besides those that the spec lists by name: one of each customer. */
  readonly hosts?: readonly string[];
  /** It has one credential at a time, or a principal that belongs to Rekey alone: there are no strangers. */
  readonly alone?: boolean;
  /** How the request begins that creates a credential, where other calls are POSTs too. */
  readonly creates?: string;
  /** Whether it says in a documented way that its limit is reached. */
  readonly saysFull?: boolean;
  readonly routes: readonly Route[];
  /** What a credential made by hand has that ours have too. */
  readonly stranger?: () => Record<string, unknown>;
}

export type Strike = 'server-error' | 'lost-answer' | 'refused' | 'slow-down';

/** A running vendor. */
export interface Vendor {
  readonly description: Description;
  readonly held: readonly Held[];
  /** Requests that the vendor's documentation does not have: a spec that makes one is wrong. */
  readonly undocumented: readonly string[];
  /** Every call that was answered, as `METHOD path`, and every use of a value: when, whose, and whether it was accepted. */
  readonly calls: readonly string[];
  readonly uses: readonly { readonly at: number; readonly id: string; readonly accepted: boolean }[];
  /** The ids of credentials that anything was done to through the API. */
  readonly touched: ReadonlySet<string>;
  /** Milliseconds until a new value is accepted and a dead one refused. */
  propagation: { activateMs: number; revokeMs: number };
  strike(kind: Strike, times?: number, on?: string): void;
  calm(): void;
  /** A hand in the vendor's console. */
  byHand(name?: string): Held;
  deleteByHand(id: string): void;
  /** A program uses a value, or what the vendor has of it. */
  use(value: string): boolean;
  find(id: string | undefined): Held | undefined;
  /** What is there and not deleted, oldest first. */
  present(): Held[];
  isFull(): boolean;
  create(name: string, more?: Record<string, unknown>, given?: { id?: string; value?: string }): Held;
  disable(held: Held): void;
  remove(held: Held): void;
  /** Answers one request; `lost`: it was carried out and nobody hears of it. */
  answer(incoming: Incoming): Reply | 'lost';
}

/** Starts a vendor with nothing in it. */
export function openVendor(description: Description): Vendor {
  const held: Held[] = [];
  const undocumented: string[] = [];
  const calls: string[] = [];
  const uses: { at: number; id: string; accepted: boolean }[] = [];
  const touched = new Set<string>();
  let strikes: { kind: Strike; left: number; on: string | undefined }[] = [];
  const never = Number.MAX_SAFE_INTEGER;

  const struckBy = (line: string): Strike | undefined => {
    const found = strikes.find(({ on }) => on === undefined || line.startsWith(on));
    if (found && --found.left <= 0) strikes = strikes.filter((one) => one !== found);
    return found?.kind;
  };

  const vendor: Vendor = {
    description,
    held,
    undocumented,
    calls,
    uses,
    touched,
    propagation: { activateMs: 0, revokeMs: 0 },
    strike: (kind, times = 1, on) => void strikes.push({ kind, left: times, on }),
    calm: () => {
      strikes = [];
    },
    byHand(name = 'made by hand') {
      const made = vendor.create(name, description.stranger?.() ?? {});
      touched.delete(made.id);
      return made;
    },
    deleteByHand(id) {
      const found = vendor.find(id);
      if (!found) throw new Error(`there is no ${id}`);
      const was = touched.has(id);
      vendor.remove(found);
      if (!was) touched.delete(id);
    },
    use(value) {
      const found = held.find((one) => one.value === value);
      const accepted = found !== undefined && Date.now() >= found.acceptedFrom && Date.now() < found.refusedFrom;
      uses.push({ at: Date.now(), id: found?.id ?? 'unknown', accepted });
      if (accepted) found.lastUsedAt = Date.now();
      return accepted;
    },
    find: (id) => held.find((one) => one.id === id && !one.deleted),
    present: () => held.filter((one) => !one.deleted),
    isFull: () => {
      const counted = vendor.present().filter((one) => one.enabled || description.countsDisabled);
      return description.limit !== null && counted.length >= description.limit;
    },
    create(name, more = {}, given = {}) {
      const value = given.value ?? description.mint();
      const made: Held = {
        id: given.id ?? description.id(value),
        value,
        createdAt: Date.now(),
        name,
        enabled: true,
        deleted: false,
        acceptedFrom: Date.now() + vendor.propagation.activateMs,
        refusedFrom: never,
        lastUsedAt: null,
        more,
      };
      held.push(made);
      touched.add(made.id);
      return made;
    },
    disable(one) {
      touched.add(one.id);
      one.enabled = false;
      one.refusedFrom = Math.min(one.refusedFrom, Date.now() + vendor.propagation.revokeMs);
    },
    remove(one) {
      vendor.disable(one);
      one.deleted = true;
    },
    answer(incoming) {
      const line = `${incoming.method} ${incoming.host}${incoming.path}`;
      calls.push(line);
      const struck = struckBy(line);
      if (struck === 'server-error') return description.broken;
      if (struck === 'slow-down') return description.slowDown;
      if (struck === 'refused') return description.invalid;
      const reply = route(incoming, line);
      return struck === 'lost-answer' ? 'lost' : reply;
    },
  };

  function route(incoming: Incoming, line: string): Reply {
    const wrong = (what: string): Reply => {
      undocumented.push(`${line}: ${what}`);
      return description.invalid;
    };
    for (const one of description.routes) {
      const params = matched(one.call, line);
      if (!params) continue;
      if (one.who === 'admin' && !description.isAdmin(incoming)) return description.refusal;
      const query = Object.fromEntries(incoming.query);
      const json = one.json ? parsed(incoming.body) : {};
      const form = one.form ? Object.fromEntries(new URLSearchParams(incoming.body)) : {};
      const type = incoming.headers['content-type'] ?? '';
      const faults = [
        ...faultsOf(one.query ?? {}, query).map((fault) => `query ${fault}`),
        ...(one.json ? faultsOf(one.json, json) : []),
        ...(one.form ? faultsOf(one.form, form) : []),
        ...(one.json && type !== 'application/json' ? ['a body that is not JSON'] : []),
        ...(one.form && type !== 'application/x-www-form-urlencoded' ? ['a body that is no form'] : []),
        ...(!one.json && !one.form && incoming.body !== '' ? ['a body where there is none'] : []),
      ];
      if (faults.length) return wrong(faults.join('; '));
      return one.answer({ ...incoming, params, json: json as Call['json'], form }, vendor);
    }
    return wrong('no such call');
  }

  return vendor;
}

/** The parts of a path that a route names, or undefined when it is another call. */
function matched(call: string, line: string): Record<string, string> | undefined {
  const [wanted, given] = [call, line].map((text) => text.split(/[ /]/));
  if (!wanted || !given || wanted.length !== given.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const actual = given[index] ?? '';
    if (part.startsWith(':') && actual !== '') params[part.slice(1)] = decodeURIComponent(actual);
    else if (part !== actual) return undefined;
  }
  return params;
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** `length` random characters of an alphabet. */
export function random(length: number, alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'): string {
  return [...randomBytes(length)].map((byte) => alphabet[byte % alphabet.length]).join('');
}

export const hex = '0123456789abcdef';
/** The token of a Bearer header, or undefined. */
export const bearer = ({ headers }: Incoming): string | undefined => /^Bearer (.+)$/.exec(headers['authorization'] ?? '')?.[1];
/** User and password of a Basic header, joined by a colon, or undefined. */
export const basic = ({ headers }: Incoming): string | undefined => {
  const encoded = /^Basic (.+)$/.exec(headers['authorization'] ?? '')?.[1];
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString();
};
