import * as z from 'zod/mini';
import { acknowledge } from '../core/acknowledge.ts';
import { adoptVersion } from '../core/adopt.ts';
import { overrideConfirm } from '../core/adoption.ts';
import { sheetOf } from '../core/capability.ts';
import { addConsumer, listConsumers, removeConsumer } from '../core/consumers.ts';
import { Refused } from '../core/errors.ts';
import { explainKey } from '../core/explain.ts';
import { clearHold, setHold } from '../core/hold.ts';
import { tiers } from '../core/key.ts';
import { planRotation } from '../core/plan.ts';
import { providerProblems } from '../core/provider-fit.ts';
import { openInventory, showInventory } from '../core/reassert/open.ts';
import { reassertKey } from '../core/reassert/reassert.ts';
import { goLive, registerKey } from '../core/register.ts';
import { requestRollback } from '../core/rotate/abort.ts';
import { beginRotation } from '../core/rotate/begin.ts';
import { showRotation } from '../core/rotate/show-rotation.ts';
import { history, showKey } from '../core/show.ts';
import { sweep } from '../core/sweep.ts';
import { tierOf } from '../core/tier.ts';
import { audit } from './audit.ts';
import { bulk } from './bulk.ts';
import { drills } from './drills.ts';
import { emergency } from './emergency.ts';
import { exceptions } from './exceptions.ts';
import { consumer, factsProblems, keyFacts } from './facts.ts';
import { keyId, name, text } from './fields.ts';
import { fleet } from './fleet.ts';
import { asksForMany, registerMany } from './import.ts';
import { accept } from './problems.ts';
import { reports } from './reports.ts';
import { type Request, reason, request, requestId } from './request.ts';
import { reviews } from './reviews.ts';

const oneKey = z.strictObject({ keyId: keyId() });
const table = z.string().check(z.regex(/^[A-Za-z0-9_.-]{3,255}$/, 'must be the name of a table'));
const knownVersion = z.strictObject({
  number: z.int().check(z.minimum(1)),
  state: z.exactOptional(z.enum(['disabling', 'disabled', 'destroyed'])),
  compromised: z.exactOptional(z.boolean()),
});

const registerOne = request(
  'create',
  z.strictObject({ facts: keyFacts, dryRun: z.exactOptional(z.boolean()) }),
  async (ports, { facts, dryRun }, actor) => {
    const problems = factsProblems(facts, ports.policy);
    if (problems.length) throw new Refused('E_INPUT_INVALID', `${facts.id} cannot be registered like this`, problems);
    if (!dryRun) return registerKey(ports, facts, actor);
    const unfit = providerProblems(ports.provider(facts.provider), facts, ports.policy);
    if (unfit.length) throw new Refused('E_INPUT_INVALID', `${facts.id} cannot be registered like this`, unfit);
    for (const { kind } of facts.destinations) ports.destination(kind);
    return { keyId: facts.id, tier: tierOf(facts, ports.policy).tier };
  },
);

/** THE TABLE of what can be asked: what one must be allowed, one strict schema, and one use case of the core each. */
export const requests: Readonly<Record<string, Request>> = {
  'key.register': {
    ...registerOne,
    run: (ports, input, actor) => (asksForMany(input) ? registerMany : registerOne).run(ports, input, actor),
  },
  'provider.list': request('read', z.strictObject({}), async (ports) =>
    ports.providers().map((provider) => sheetOf(ports.provider(provider))),
  ),
  'provider.show': request('read', z.strictObject({ provider: name() }), async (ports, input) => sheetOf(ports.provider(input.provider))),
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
  'key.show': request('read', oneKey, (ports, input) => showKey(ports, input.keyId)),
  'key.explain': request('read', oneKey, (ports, input) => explainKey(ports, input.keyId)),
  'consumer.list': request('read', z.strictObject({ keyId: z.exactOptional(keyId()) }), (ports, input) => listConsumers(ports, input)),
  'consumer.add': request('create', z.strictObject({ keyId: keyId(), consumer }), addConsumer),
  'consumer.remove': request('create', z.strictObject({ keyId: keyId(), name: name() }), removeConsumer),
  'rotation.show': request('read', oneKey, (ports, input) => showRotation(ports, input.keyId)),
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
  ...emergency,
  ...drills,
  ...reports,
  ...bulk,
  confirm: {
    action: 'confirm',
    door: 'operate',
    run: (ports, input, actor) => {
      const { consumer: name, reason, ...rest } = accept(confirmation, input, 'the request');
      if (name === undefined || reason === undefined) throw unproven();
      return overrideConfirm(ports, { keyId: rest.keyId, consumer: name, reason }, actor);
    },
  },
  hold: request(
    'hold',
    z.strictObject({ keyId: keyId(), reason, until: z.iso.datetime({ message: 'must be an instant in UTC, like 2027-01-31T00:00:00Z' }) }),
    setHold,
  ),
  unhold: request('hold', z.strictObject({ keyId: keyId(), reason }), clearHold),
  ...exceptions,
  ...reviews,
  'escalation.acknowledge': request('acknowledge', z.strictObject({ about: text(300) }), acknowledge),
  ...fleet,
  ...audit,
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
