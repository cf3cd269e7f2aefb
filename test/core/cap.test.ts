import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { receive } from '../../core/adoption.ts';
import { getKey } from '../../core/items.ts';
import { showKey } from '../../core/show.ts';
import { instant } from '../../core/time.ts';
import { end, noticeTo, untilIdle } from '../support/operations.ts';
import { eventsOf, nothingDied, oldWorks, proves, rotationOf, tier, waitsForConsumers, withTier } from '../support/overlap.ts';
import { adopted, testFacts, testPolicy, testSettings, type World, world } from '../support/world.ts';

let w: World;
let keyId: string;
beforeEach(() => {
  w = world();
});
afterEach(() => end(w));

describe('before the cap', () => {
  it('whoever has not proved its move is asked again, twice, with a fresh challenge that counts', async () => {
    keyId = await waitsForConsumers(w);
    await proves(w, 'api');
    await w.pass(tier.overlapMaxSeconds - 5);
    const asked = w.notices.filter(({ type }) => type === 'key.overlap.ending');
    expect(asked.map(({ audience }) => audience)).toEqual(['batch', 'batch']);
    const { overlapCapAt } = (await rotationOf(w, keyId)) ?? {};
    expect(asked[0]?.data).toMatchObject({
      version: 2,
      endsAt: overlapCapAt,
      atEnd: 'hold',
      nonce: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    expect(new Set(w.notices.map(({ data }) => data.nonce).filter(Boolean)).size).toBe(4);
    await proves(w, 'batch', 'key.overlap.ending');
    await untilIdle(w, keyId);
  });

  it('nobody is asked again who has proved it', async () => {
    keyId = await waitsForConsumers(w);
    await proves(w, 'api');
    await proves(w, 'batch');
    await untilIdle(w, keyId);
    expect(w.notices.filter(({ type }) => type === 'key.overlap.ending' || type === 'key.receipt.missing')).toEqual([]);
  });
});

describe('at the cap, where the policy says so,', () => {
  beforeEach(async () => {
    await end(w);
    w = world({ policy: withTier({ atOverlapMax: 'retire' }) });
  });

  it('the old version is retired anyway: everybody was warned, it is on record, in a notice, and a person is called', async () => {
    keyId = await waitsForConsumers(w);
    await proves(w, 'api');
    await w.pass(tier.overlapMaxSeconds - 30);
    expect(oldWorks(w)).toBe(true);
    expect(noticeTo(w, 'batch', 'key.overlap.ending').data).toMatchObject({ atEnd: 'retire' });
    await untilIdle(w, keyId);
    expect(oldWorks(w)).toBe(false);
    expect(await eventsOf(w, keyId, 'confirm.overruled')).toMatchObject([
      { detail: { missing: 'batch', by: `policy:${testPolicy.version}` } },
    ]);
    expect(noticeTo(w, '*', 'key.receipt.missing').data.reason).toContain('is retired as the policy says');
    expect(await getKey(w.ports, keyId)).toMatchObject({ current: 2, attention: { reason: 'RetiredUnconfirmed' } });
    await w.until(() => w.pages.some(({ lines }) => lines.some(({ reason }) => reason === 'RetiredUnconfirmed')));
  });

  it('but not while somebody’s warning could not be sent', async () => {
    await end(w);
    let down = true;
    w = world({
      policy: withTier({ atOverlapMax: 'retire' }),
      wrap: (ports) => ({
        ...ports,
        notifier: {
          publish: async (notice) => {
            if (down && notice.type === 'key.overlap.ending')
              throw Object.assign(new Error('no answer'), { name: 'DestinationUnavailable' });
            await ports.notifier.publish(notice);
          },
        },
      }),
    });
    keyId = await waitsForConsumers(w);
    await nothingDied(w, keyId);
    down = false;
    await untilIdle(w, keyId);
    expect(oldWorks(w)).toBe(false);
  });

  it('and never for the highest tier, whatever the record says', async () => {
    keyId = await waitsForConsumers(w, testFacts({ privileged: true }));
    await nothingDied(w, keyId);
  });
});

describe('POL-Q2: use by a system that nobody registered', () => {
  it('is a finding: the old version was used after every consumer had left it', async () => {
    let used: { at: string; accuracySeconds: number } | undefined;
    w.provider.lastUsed = async (_subject, credentialId) => (credentialId === 'cred-0001' ? used : undefined);
    keyId = await waitsForConsumers(w);
    await proves(w, 'api');
    await proves(w, 'batch');
    await w.pass(10);
    used = { at: instant(w.ports.clock.now()), accuracySeconds: 0 };
    await untilIdle(w, keyId);
    const { findings } = await showKey(w.ports, keyId);
    expect(findings).toMatchObject([{ rule: 'unregistered-use', message: expect.stringContaining('version 1 was used after') }]);
  });

  it('is none where the vendor’s account is too coarse to tell, or only consumers used it', async () => {
    let used: { at: string; accuracySeconds: number } | undefined;
    w.provider.lastUsed = async () => used;
    keyId = await waitsForConsumers(w);
    used = { at: instant(w.ports.clock.now()), accuracySeconds: 0 };
    await proves(w, 'api');
    await proves(w, 'batch');
    await w.pass(10);
    used = { at: instant(w.ports.clock.now()), accuracySeconds: 900 };
    await untilIdle(w, keyId);
    expect((await showKey(w.ports, keyId)).findings).toEqual([]);
  });
});

describe('POL-C6: a consumer that gives no sign through two rotations', () => {
  it('is a finding, until it is heard', async () => {
    await end(w);
    w = world({ reconciler: false });
    keyId = await adopted(w);
    const unused = async () => (await showKey(w.ports, keyId)).findings.filter(({ rule }) => rule === 'unused-consumer');
    const longest = 2 * (tier.rotateEverySeconds + tier.overlapMaxSeconds);
    w.clock.tick((longest - 3600) * 1000);
    expect(await unused()).toEqual([]);
    w.clock.tick(2 * 3600 * 1000);
    expect(await unused()).toMatchObject([{ message: expect.stringMatching(/^api, batch gave no sign/) }]);
    await w.inventory.update({ pk: `KEY#${keyId}`, sk: 'META' }, { set: { heardFrom: { api: instant(Date.now()) } } });
    expect(await unused()).toMatchObject([{ message: expect.stringMatching(/^batch gave no sign/) }]);
  });
});

describe('POL-R4: the record of a notice', () => {
  it('says for each consumer when it was sent, heard and answered', async () => {
    keyId = await waitsForConsumers(w);
    const { operationId, id: noticeId } = noticeTo(w, 'api', 'key.issued');
    await receive(w.ports, { keyId, operationId, version: 2, outcome: 'heard', noticeId }, 'api');
    await w.pass(testSettings.reconcileSeconds);
    await proves(w, 'api');
    const records = await w.inventory.list(`KEY#${keyId}`, `NOTE#${operationId}#`);
    const at = expect.stringMatching(/^2026-/);
    expect(records).toMatchObject([
      { consumer: 'api', type: 'key.issued', version: 2, at, sentAt: at, heardAt: at, movedAt: at, failedAt: '' },
      { consumer: 'batch', type: 'key.issued', version: 2, at, sentAt: at, heardAt: '', movedAt: '', failedAt: '' },
    ]);
  });

  it('that was heard is on record once, however often the consumer says it', async () => {
    keyId = await waitsForConsumers(w);
    const { operationId } = noticeTo(w, 'api', 'key.issued');
    for (let i = 0; i < 3; i++) await receive(w.ports, { keyId, operationId, version: 2, outcome: 'heard' }, 'api');
    expect(await eventsOf(w, keyId, 'receipt.heard')).toHaveLength(1);
  });

  it('row 66: about an operation of which nobody was told is refused: E_NOT_FOUND', async () => {
    keyId = await waitsForConsumers(w);
    const forged = { keyId, operationId: 'rotate-aaaaaaaaaaaaaaaaaaaaaaaaaa', version: 2, outcome: 'heard' } as const;
    await expect(receive(w.ports, forged, 'api')).rejects.toMatchObject({ code: 'E_NOT_FOUND' });
  });
});
