import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { firstBreak } from '../../core/audit.ts';
import { cutOff } from '../../core/break-glass/cut.ts';
import { importBreakGlass } from '../../core/break-glass/import.ts';
import { breakGlassIndex, breakGlassJournal, registerSigner } from '../../core/break-glass/prepare.ts';
import { type BreakGlassLine, type BreakGlassRecord, signRecord } from '../../core/break-glass/record.ts';
import { findVersion, getKey } from '../../core/items.ts';
import { readJournal } from '../../core/journal.ts';
import { history } from '../../core/show.ts';
import { beginsRotation, end, untilStep } from '../support/operations.ts';
import { adopted, services, testFacts, type World, world } from '../support/world.ts';

let w: World;
let keyId: string;
let signer: string;
const pem = () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return {
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
};
const pair = pem();
beforeEach(async () => {
  w = world();
  keyId = await adopted(w);
  ({ signer } = await registerSigner(w.ports, pair, 'responder'));
});
afterEach(() => end(w));

const line = (more: Partial<BreakGlassLine> = {}): BreakGlassLine => ({
  at: new Date(w.ports.clock.now() - 60_000).toISOString(),
  by: 'ada',
  reason: 'everything is down',
  keyId,
  provider: 'memory',
  account: 'default',
  credentialId: 'cred-0001',
  answer: 'disabled',
  detail: '',
  ...more,
});
const signed = (...lines: BreakGlassLine[]): BreakGlassRecord[] => {
  const records: BreakGlassRecord[] = [];
  for (const one of lines) records.push(signRecord(one, records.at(-1), pair.privateKey));
  return records;
};
const cuts = async (versions: readonly number[] | 'all' = 'all') => {
  const [entry] = (await breakGlassIndex(w.ports, {})).keys;
  return entry ? cutOff(w.provider, entry, versions, async () => undefined) : null;
};

describe('the index that a responder keeps', () => {
  it('names every key with the vendor’s ids of what lives, and holds no value and no fingerprint', async () => {
    const page = await breakGlassIndex(w.ports, {});
    expect(page).toMatchObject({
      stage: 'test',
      next: null,
      keys: [{ keyId, provider: 'memory', versions: [{ number: 1, credentialId: 'cred-0001' }] }],
    });
    const { fingerprints = [], token } = (await findVersion(w.ports, keyId, 1)) ?? {};
    const text = JSON.stringify(page);
    for (const secret of ['mem_canary', ...fingerprints, token ?? 'token']) expect(text).not.toContain(secret);
  });

  it('comes in pages, every key once', async () => {
    const ids = Array.from({ length: 450 }, (_, i) => `team/key-${i}`);
    const { hints } = w.inventory;
    Object.assign(w.inventory, {
      hints: async function* () {
        for (const id of ids) yield { keyId: id, at: '' };
      },
    });
    const seen: (string | null)[] = [];
    let after: string | undefined;
    do {
      const { next } = await breakGlassIndex(w.ports, { after });
      seen.push(next);
      after = next ?? undefined;
    } while (after);
    Object.assign(w.inventory, { hints });
    const sorted = ids.sort();
    expect(seen).toEqual([sorted[199], sorted[399], null]);
  });
});

describe('POL-P5: a key that is ended with nothing but its provider', () => {
  it('has every credential of the index refused, and those that were made since and are its own', async () => {
    const [entry] = (await breakGlassIndex(w.ports, {})).keys;
    services(w, testFacts());
    await beginsRotation(w, keyId);
    await untilStep(w, keyId, 'confirm');
    const done: string[] = [];
    const ended = entry && (await cutOff(w.provider, entry, 'all', async ({ credentialId }) => void done.push(credentialId)));
    expect(ended?.cuts.map(({ credentialId, version, answer }) => [credentialId, version, answer])).toEqual([
      ['cred-0001', 1, 'disabled'],
      ['cred-0002', 2, 'disabled'],
    ]);
    expect(done).toEqual(['cred-0001', 'cred-0002']);
    for (const id of done) expect(w.provider.accepts(id)).toBe(false);
  });

  it('leaves strangers alone, and names them', async () => {
    await end(w);
    w = world({ provider: { traits: { maxLive: 5 } } });
    keyId = await adopted(w, testFacts({ exclusive: false }));
    const { credentialId } = w.provider.stranger();
    expect(await cuts()).toMatchObject({ cuts: [{ version: 1, answer: 'disabled' }], strangers: [credentialId] });
    expect(w.provider.accepts(credentialId)).toBe(true);
  });

  it('is cut by the index although the provider does not list, and says what it could not do', async () => {
    w.provider.list = async () => {
      throw new TypeError('no answer');
    };
    expect(await cuts()).toMatchObject({ cuts: [{ answer: 'disabled' }], strangers: null });
    w.provider.disable = async () => {
      throw new TypeError('no answer');
    };
    expect(await cuts()).toMatchObject({ cuts: [{ answer: 'failed', detail: 'TypeError' }] });
  });
});

describe('an import', () => {
  it('fences what was under way, proves the version dead, tells everybody, and names who did it and when', async () => {
    services(w, testFacts());
    const { operationId } = await beginsRotation(w, keyId);
    await untilStep(w, keyId, 'confirm');
    const { fence } = await getKey(w.ports, keyId);
    await cuts([1]);
    const { imported } = await importBreakGlass(w.ports, { signer, records: signed(line()) }, 'responder');
    expect(imported).toMatchObject([{ seq: 1, outcome: 'revoked', keyId }]);
    expect((await getKey(w.ports, keyId)).fence).toBeGreaterThan(fence);
    await w.until(async () => (await getKey(w.ports, keyId)).state === 'contained');
    const events = await history(w.ports, keyId);
    expect(events.find(({ event }) => event === 'rotation.superseded')?.detail).toMatchObject({ operation: operationId });
    expect(events.find(({ event }) => event === 'revocation.requested')).toMatchObject({
      actor: 'responder',
      detail: { reason: 'break-glass by ada: everything is down' },
    });
    expect(await findVersion(w.ports, keyId, 1)).toMatchObject({ compromised: true, state: 'disabled' });
    expect(w.notices.filter(({ type }) => type === 'key.revoked').length).toBeGreaterThan(0);
    const entries = await readJournal(w.ports, breakGlassJournal);
    expect(entries.map(({ event }) => event)).toEqual(['break-glass.prepared', 'break-glass.imported']);
    expect(entries[1]?.detail).toMatchObject({ by: 'ada', answer: 'disabled', signer });
    expect(firstBreak(entries, entries.at(-1) ?? { seq: 0, hash: '' })).toBeNull();
  });

  it('of the same records again changes nothing; of one that failed carries it out', async () => {
    const records = signed(line({ answer: 'failed', detail: 'ProviderUnavailable' }));
    await importBreakGlass(w.ports, { signer, records }, 'responder');
    expect(w.provider.accepts('cred-0001')).toBe(false);
    await w.until(async () => (await getKey(w.ports, keyId)).state === 'contained');
    const { fence } = await getKey(w.ports, keyId);
    expect(await importBreakGlass(w.ports, { signer, records }, 'responder')).toMatchObject({ imported: [{ outcome: 'already known' }] });
    expect((await getKey(w.ports, keyId)).fence).toBe(fence);
    expect((await getKey(w.ports, keyId)).revocation?.requests).toHaveLength(1);
  });

  it('of a credential that no key has is on record and touches no key', async () => {
    const { imported } = await importBreakGlass(
      w.ports,
      { signer, records: signed(line({ keyId: '', credentialId: 'somebody-s' })) },
      'responder',
    );
    expect(imported).toMatchObject([{ outcome: 'no key has it', keyId: '' }]);
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active' });
  });

  it.each([
    ['a line that was changed', (records: BreakGlassRecord[]) => records.map((one) => ({ ...one, credentialId: 'cred-0002' }))],
    ['a line that is missing', (records: BreakGlassRecord[]) => [records[0], records[2]] as BreakGlassRecord[]],
    ['lines in another order', (records: BreakGlassRecord[]) => [...records].reverse()],
    [
      'a signature of somebody else',
      ([first]: BreakGlassRecord[]) => [signRecord(line(), undefined, pem().privateKey), first] as BreakGlassRecord[],
    ],
  ])('with %s is refused whole, before anything is done', async (_, damage) => {
    const records = damage(signed(line(), line({ answer: 'gone' }), line({ answer: 'failed' })));
    await expect(importBreakGlass(w.ports, { signer, records }, 'responder')).rejects.toMatchObject({ code: 'E_INPUT_INVALID' });
    expect(await getKey(w.ports, keyId)).toMatchObject({ state: 'active', revocation: null });
  });

  it('signed by a key that nobody registered, or no key at all, is refused', async () => {
    await expect(importBreakGlass(w.ports, { signer: 'f'.repeat(64), records: signed(line()) }, 'x')).rejects.toMatchObject({
      code: 'E_NOT_FOUND',
    });
    await expect(registerSigner(w.ports, { publicKey: 'no key' }, 'x')).rejects.toMatchObject({ code: 'E_INPUT_INVALID' });
  });
});
