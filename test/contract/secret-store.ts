import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { StoreConflict } from '../../core/errors.ts';
import type { SecretStore } from '../../core/ports.ts';
import { Value } from '../../core/value.ts';

export interface Subject {
  readonly store: SecretStore;
  /** A second door to the same store: another process, another client. */
  readonly other: SecretStore;
  close(): Promise<void>;
}

/** What every secret store does. Each test uses a key of its own. */
export function describeSecretStore(name: string, make: () => Promise<Subject>): void {
  describe(`secret store: ${name}`, () => {
    let subject: Subject;
    let store: SecretStore;
    let keys = 0;
    const freshKey = () => `payments/key-${++keys}`;
    const freshValue = () => new Value(`value-${randomUUID()}-"é\\`);

    beforeAll(async () => {
      subject = await make();
      store = subject.store;
    });
    afterAll(async () => await subject?.close());

    /** Stores a new version and returns its token. */
    const put = async (keyId: string, value = freshValue()): Promise<string> => {
      const token = randomUUID();
      await store.put(keyId, token, value);
      return token;
    };

    const holds = async (keyId: string, token: string, value: Value, through = store) =>
      (await through.read(keyId, token))?.equals(value) ?? false;

    it('knows nothing of a key that was never stored', async () => {
      expect(await store.labels('payments/never')).toEqual({});
      expect(await store.read('payments/never', randomUUID())).toBeUndefined();
    });

    it('stores the first version as pending only, and gives its value back through every door', async () => {
      const [keyId, value] = [freshKey(), freshValue()];
      const token = await put(keyId, value);
      expect(await store.labels(keyId)).toEqual({ AWSPENDING: token });
      expect(await holds(keyId, token, value)).toBe(true);
      expect(await holds(keyId, token, value, subject.other)).toBe(true);
      expect(await store.read(keyId, randomUUID())).toBeUndefined();
    });

    it('changes nothing when the same version arrives again, even after its promotion', async () => {
      const [keyId, token, value] = [freshKey(), randomUUID(), freshValue()];
      await store.put(keyId, token, value);
      await store.promote(keyId, token, null);
      await store.strip(keyId, token);
      await store.put(keyId, token, value);
      expect(await store.labels(keyId)).toEqual({ AWSCURRENT: token });
    });

    it('refuses another value for a version that exists, and keeps the first', async () => {
      const [keyId, value] = [freshKey(), freshValue()];
      const token = await put(keyId, value);
      await expect(store.put(keyId, token, freshValue())).rejects.toBeInstanceOf(StoreConflict);
      expect(await holds(keyId, token, value)).toBe(true);
    });

    it('keeps one pending version: the newest', async () => {
      const [keyId, value] = [freshKey(), freshValue()];
      const first = await put(keyId, value);
      const second = await put(keyId);
      expect(await store.labels(keyId)).toEqual({ AWSPENDING: second });
      expect(await holds(keyId, first, value)).toBe(true);
    });

    it('promotes the first version, although an abandoned one was stored before it', async () => {
      const keyId = freshKey();
      await put(keyId);
      const token = await put(keyId);
      await store.promote(keyId, token, null);
      expect(await store.labels(keyId)).toEqual({ AWSPENDING: token, AWSCURRENT: token });
    });

    it('labels the version that was current as previous when the next one is promoted', async () => {
      const keyId = freshKey();
      const first = await put(keyId);
      await store.promote(keyId, first, null);
      const second = await put(keyId);
      expect(await store.labels(keyId)).toEqual({ AWSCURRENT: first, AWSPENDING: second });
      await store.promote(keyId, second, first);
      expect(await store.labels(keyId)).toMatchObject({ AWSCURRENT: second, AWSPREVIOUS: first });
      const third = await put(keyId);
      await store.promote(keyId, third, second);
      expect(await store.labels(keyId)).toMatchObject({ AWSCURRENT: third, AWSPREVIOUS: second });
    });

    it('says yes to a promotion that is already done', async () => {
      const keyId = freshKey();
      const token = await put(keyId);
      await store.promote(keyId, token, null);
      await store.promote(keyId, token, null);
      await store.promote(keyId, token, randomUUID());
      expect(await store.labels(keyId)).toMatchObject({ AWSCURRENT: token });
    });

    it('does not move AWSCURRENT from a version that the caller did not expect', async () => {
      const keyId = freshKey();
      const [first, second, third] = [await put(keyId), await put(keyId), await put(keyId)];
      await store.promote(keyId, first, null);
      await expect(store.promote(keyId, third, second)).rejects.toBeInstanceOf(StoreConflict);
      await expect(store.promote(keyId, third, null)).rejects.toBeInstanceOf(StoreConflict);
      expect(await store.labels(keyId)).toMatchObject({ AWSCURRENT: first });
    });

    it('does not promote where nothing is current but something was expected, nor a version that is not stored', async () => {
      const keyId = freshKey();
      const token = await put(keyId);
      await expect(store.promote(keyId, token, randomUUID())).rejects.toBeInstanceOf(StoreConflict);
      await expect(store.promote(keyId, randomUUID(), null)).rejects.toBeInstanceOf(StoreConflict);
      await expect(store.promote(freshKey(), randomUUID(), null)).rejects.toBeInstanceOf(StoreConflict);
      expect(await store.labels(keyId)).toEqual({ AWSPENDING: token });
    });

    it('lets exactly one of two promotions win that start from the same version', async () => {
      const keyId = freshKey();
      const first = await put(keyId);
      await store.promote(keyId, first, null);
      const rivals = [await put(keyId), await put(keyId)] as const;
      const outcomes = await Promise.allSettled([store.promote(keyId, rivals[0], first), subject.other.promote(keyId, rivals[1], first)]);
      const won = outcomes.flatMap(({ status }, i) => (status === 'fulfilled' ? [rivals[i]] : []));
      const lost = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
      expect(won).toHaveLength(1);
      expect(lost[0]).toBeInstanceOf(StoreConflict);
      expect(await store.labels(keyId)).toMatchObject({ AWSCURRENT: won[0], AWSPREVIOUS: first });
    });

    it('strips every label but AWSCURRENT from one version and from no other', async () => {
      const keyId = freshKey();
      const first = await put(keyId);
      await store.promote(keyId, first, null);
      const second = await put(keyId);
      await store.promote(keyId, second, first);
      await store.strip(keyId, first);
      expect(await store.labels(keyId)).toEqual({ AWSCURRENT: second, AWSPENDING: second });
      await store.strip(keyId, second);
      await store.strip(keyId, second);
      expect(await store.labels(keyId)).toEqual({ AWSCURRENT: second });
    });

    it('strips nothing, without an error, where there is nothing', async () => {
      await store.strip(freshKey(), randomUUID());
      const keyId = freshKey();
      const token = await put(keyId);
      await store.strip(keyId, randomUUID());
      expect(await store.labels(keyId)).toEqual({ AWSPENDING: token });
    });

    it('keeps every version when many are stored at once through two doors', async () => {
      const keyId = freshKey();
      const wanted = Array.from({ length: 8 }, () => ({ token: randomUUID(), value: freshValue() }));
      await Promise.all(wanted.map(({ token, value }, i) => (i % 2 ? store : subject.other).put(keyId, token, value)));
      expect(await Promise.all(wanted.map(({ token, value }) => holds(keyId, token, value)))).not.toContain(false);
      expect(Object.keys(await store.labels(keyId))).toEqual(['AWSPENDING']);
    });

    it('keeps keys apart', async () => {
      const [one, two, value] = [freshKey(), freshKey(), freshValue()];
      const token = randomUUID();
      await store.put(one, token, value);
      expect(await store.read(two, token)).toBeUndefined();
      await store.put(two, token, freshValue());
      expect(await holds(one, token, value)).toBe(true);
    });
  });
}
