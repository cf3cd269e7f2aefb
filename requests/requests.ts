import * as z from 'zod/mini';
import { adoptVersion } from '../core/adopt.ts';
import { overrideConfirm } from '../core/adoption.ts';
import type { Action } from '../core/authority.ts';
import { Refused } from '../core/errors.ts';
import { explainKey } from '../core/explain.ts';
import { clearHold, setHold } from '../core/hold.ts';
import { tiers } from '../core/key.ts';
import { leakSources } from '../core/leak-sources.ts';
import { planRevocation, planRotation } from '../core/plan.ts';
import type { Ports } from '../core/ports.ts';
import { openInventory, showInventory } from '../core/reassert/open.ts';
import { reassertKey } from '../core/reassert/reassert.ts';
import { goLive, registerKey } from '../core/register.ts';
import { findLeaked, notSaid, revoke } from '../core/revoke/begin.ts';
import { releaseReissue } from '../core/revoke/release.ts';
import { requestRollback } from '../core/rotate/abort.ts';
import { beginRotation } from '../core/rotate/begin.ts';
import { history, listKeys, showKey, status } from '../core/show.ts';
import { sweep } from '../core/sweep.ts';
import { tierOf } from '../core/tier.ts';
import { Value } from '../core/value.ts';
import { factsProblems, keyFacts } from './facts.ts';
import { keyId, name, text } from './fields.ts';
import { accept } from './problems.ts';

/** Who asks: the authenticated principal, and the door it came through. Never a field of the request. */
export interface Caller {
  readonly actor: string;
  /** `intake`: the responders' door, which contains a leak and does nothing else. */
  readonly via: RequestDoor;
}

/** `intake` depends on the least and may do the least; `operate` is everything else. */
export type RequestDoor = 'operate' | 'intake';

export interface Request {
  /** What one has to be allowed to do (core/authority.ts). */
  readonly action: Action;
  /** Which door serves it where there are two. */
  readonly door: RequestDoor;
  /** Checks the input and does it. Throws Refused before the first effect for what does not fit the schema. */
  readonly run: (ports: Ports, input: unknown, actor: string) => Promise<unknown>;
}

const reason = text(500);
const requestId = z.string().check(z.regex(/^[A-Za-z0-9-]{8,64}$/, 'must be 8 to 64 letters, digits and hyphens'));
const oneKey = z.strictObject({ keyId: keyId() });
const nothing = z.strictObject({});
const table = z.string().check(z.regex(/^[A-Za-z0-9_.-]{3,255}$/, 'must be the name of a table'));
const knownVersion = z.strictObject({
  number: z.int().check(z.minimum(1)),
  state: z.exactOptional(z.enum(['disabling', 'disabled', 'destroyed'])),
  compromised: z.exactOptional(z.boolean()),
});
const scope = z.union([z.literal('all'), z.array(z.int().check(z.minimum(1))).check(z.minLength(1), z.maxLength(100))]);

/** THE TABLE of what can be asked: what one must be allowed, one strict schema, and one use case of the core each. */
export const requests: Readonly<Record<string, Request>> = {
  'key.register': request(
    'create',
    z.strictObject({ facts: keyFacts, dryRun: z.exactOptional(z.boolean()) }),
    async (ports, { facts, dryRun }, actor) => {
      const problems = factsProblems(facts, ports.policy);
      if (problems.length) throw new Refused('E_INPUT_INVALID', `${facts.id} cannot be registered like this`, problems);
      if (!dryRun) return registerKey(ports, facts, actor);
      ports.provider(facts.provider);
      for (const { kind } of facts.destinations) ports.destination(kind);
      return { keyId: facts.id, tier: tierOf(facts).tier };
    },
  ),
  'key.adopt': request(
    'create',
    z.strictObject({
      keyId: keyId(),
      token: z.string().check(z.regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, 'must be a UUID in lower case')),
      credentialId: z.exactOptional(text(256)),
    }),
    adoptVersion,
  ),
  'key.mint': request(
    'create',
    z.strictObject({ keyId: keyId(), reason: z.exactOptional(reason), requestId: z.exactOptional(requestId) }),
    (ports, input, actor) =>
      beginRotation(
        ports,
        { keyId: input.keyId, reason: input.reason ?? 'first version', trigger: input.requestId ?? ports.randomId() },
        actor,
      ),
  ),
  'key.live': request('approve', oneKey, goLive),
  'key.list': request('read', nothing, (ports) => listKeys(ports)),
  'key.show': request('read', oneKey, (ports, input) => showKey(ports, input.keyId)),
  'key.explain': request('read', oneKey, (ports, input) => explainKey(ports, input.keyId)),
  'key.history': request('read', oneKey, (ports, input) => history(ports, input.keyId)),
  rotate: request(
    'rotate',
    z.strictObject({ keyId: keyId(), reason, requestId: z.exactOptional(requestId), dryRun: z.exactOptional(z.boolean()) }),
    (ports, input, actor) =>
      input.dryRun
        ? planRotation(ports, input.keyId)
        : beginRotation(ports, { keyId: input.keyId, reason: input.reason, trigger: input.requestId ?? ports.randomId() }, actor),
  ),
  rollback: request('rollback', z.strictObject({ keyId: keyId(), reason }), requestRollback),
  // An emergency waits for no form: only the key is needed. Without a source the reissue is held until somebody knows better.
  revoke: request(
    'revoke',
    z.strictObject({
      keyId: keyId(),
      scope: z.exactOptional(scope),
      reason: z.exactOptional(z.union([reason, z.literal('')])),
      source: z.exactOptional(z.enum(leakSources)),
      requestId: z.exactOptional(requestId),
      dryRun: z.exactOptional(z.boolean()),
    }),
    (ports, input, actor) => {
      const { keyId, scope = 'all', source = 'unknown' } = input;
      if (input.dryRun) return planRevocation(ports, { keyId, scope });
      const order = { keyId, scope, reason: input.reason || notSaid, source, requestId: input.requestId ?? ports.randomId() };
      return revoke(ports, order, actor);
    },
    'intake',
  ),
  'revoke.find': request(
    'revoke',
    z.strictObject({ leaked: z.string().check(z.minLength(1), z.maxLength(65_536)) }),
    async (ports, { leaked }) => ({ match: (await findLeaked(ports, new Value(leaked))) ?? null }),
    'intake',
  ),
  reissue: request(
    'reissue',
    z.strictObject({ keyId: keyId(), mistake: z.exactOptional(z.boolean()), reason }),
    (ports, input, actor) => releaseReissue(ports, { mistake: false, ...input }, actor),
    'intake',
  ),
  confirm: {
    action: 'confirm',
    door: 'operate',
    run: (ports, input, actor) => {
      const { consumer, reason, ...rest } = accept(confirmation, input, 'the request');
      if (consumer === undefined || reason === undefined) throw unproven();
      return overrideConfirm(ports, { keyId: rest.keyId, consumer, reason }, actor);
    },
  },
  hold: request(
    'hold',
    z.strictObject({ keyId: keyId(), reason, until: z.iso.datetime({ message: 'must be an instant in UTC, like 2027-01-31T00:00:00Z' }) }),
    setHold,
  ),
  unhold: request('hold', z.strictObject({ keyId: keyId(), reason }), clearHold),
  status: request('read', nothing, (ports) => status(ports)),
  'inventory.show': request('read', z.strictObject({ from: z.exactOptional(table) }), showInventory),
  'inventory.reassert': request(
    'create',
    z.strictObject({
      keyId: keyId(),
      from: z.exactOptional(table),
      known: z.exactOptional(z.array(knownVersion).check(z.maxLength(1000))),
      observe: z.exactOptional(z.boolean()),
    }),
    reassertKey,
  ),
  'inventory.open': request('create', z.strictObject({ from: z.exactOptional(table) }), openInventory),
  sweep: request('rotate', z.strictObject({ tier: z.enum(tiers) }), (ports, input) => sweep(ports, input)),
};

/** `version` is accepted only to answer those who believe that it proves something. */
const confirmation = z.strictObject({
  keyId: keyId(),
  version: z.exactOptional(z.int()),
  consumer: z.exactOptional(z.union([name(), z.literal('*')])),
  reason: z.exactOptional(reason),
});

function unproven(): Refused {
  return new Refused('E_PROOF_REQUIRED', 'a version number proves nothing: name the consumer that moved, and say why you know', [
    { path: 'consumer', message: "is needed; '*' decides for a key without consumers" },
    { path: 'reason', message: 'is needed: it goes on record under your name' },
  ]);
}

function request<Schema extends z.ZodMiniType>(
  action: Action,
  schema: Schema,
  run: (ports: Ports, input: z.output<Schema>, actor: string) => Promise<unknown>,
  door: RequestDoor = 'operate',
): Request {
  return { action, door, run: async (ports, input, actor) => run(ports, accept(schema, input, 'the request'), actor) };
}
