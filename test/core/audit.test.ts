import { describe, expect, it } from 'vitest';
import { type AuditEntry, chain, firstBreak, genesisHash } from '../../core/audit.ts';

const line = (event: string) => ({ at: '2026-01-01T00:00:00.000Z', actor: 'test', event, detail: { number: 1, text: 'x', yes: true } });
const entries = chain({ seq: 0, hash: genesisHash }, ['a', 'b', 'c', 'd'].map(line));
const head = (list: readonly AuditEntry[]) => ({ seq: list.at(-1)?.seq ?? 0, hash: list.at(-1)?.hash ?? genesisHash });
const changed = (seq: number, more: Partial<AuditEntry>) => entries.map((entry) => (entry.seq === seq ? { ...entry, ...more } : entry));

describe('the audit chain of a key', () => {
  it('holds as it was written, in one piece or in several', () => {
    const first = chain({ seq: 0, hash: genesisHash }, [line('a'), line('b')]);
    expect([...first, ...chain(head(first), [line('c'), line('d')])]).toEqual(entries);
    expect(firstBreak(entries, head(entries))).toBeNull();
    expect(firstBreak([], { seq: 0, hash: genesisHash })).toBeNull();
  });

  it('holds whatever order a store gives the names of a detail back in', () => {
    expect(firstBreak(changed(2, { detail: { yes: true, text: 'x', number: 1 } }), head(entries))).toBeNull();
  });

  it.each<[name: string, tampered: readonly AuditEntry[], breaksAt: number]>([
    ['another event', changed(2, { event: 'z' }), 2],
    ['another actor', changed(3, { actor: 'z' }), 3],
    ['another time', changed(1, { at: '2026-01-02T00:00:00.000Z' }), 1],
    ['another detail', changed(2, { detail: { number: 2, text: 'x', yes: true } }), 2],
    ['one detail more', changed(2, { detail: { number: 1, text: 'x', yes: true, more: 1 } }), 2],
    ['an entry gone from the middle', entries.filter(({ seq }) => seq !== 2), 2],
    ['an entry gone from the end', entries.slice(0, 3), 4],
    ['all entries gone', [], 1],
    ['two entries that changed places', [entries[0], entries[2], entries[1], entries[3]] as AuditEntry[], 2],
    ['an entry added behind the head', [...entries, ...chain(head(entries), [line('e')])], 6],
  ])('shows %s', (_name, tampered, breaksAt) => {
    expect(firstBreak(tampered, head(entries))).toBe(breaksAt);
  });

  it('shows an entry whose own hash was made to fit, at the next one', () => {
    const [forged] = chain({ seq: 1, hash: entries[0]?.hash ?? '' }, [line('z')]);
    expect(firstBreak(changed(2, forged ?? {}), head(entries))).toBe(3);
  });
});
