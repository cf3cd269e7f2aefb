import { createHash } from 'node:crypto';
import { stringify } from 'csv-stringify/sync';
import { type LogState, type Pack, type PackOrder, packOf, sections } from '../../core/evidence-pack/pack.ts';
import type { LogChain } from '../../core/evidence-pack/period.ts';
import type { SealedHead } from '../../core/seal/seal.ts';
import { verifyChain } from '../../core/seal/verify-chain.ts';
import { type Tampering, verifySeals } from '../../core/seal/verify-seals.ts';
import { htmlOf } from './html.ts';

/** Everything that a pack is made from. */
export interface PackSource {
  readonly order: PackOrder;
  readonly chains: readonly (LogChain & { readonly head: { readonly seq: number; readonly hash: string } })[];
  /** As they are kept, in their order; for a unit, each with its own heads only. */
  readonly seals: readonly string[];
  readonly publicKey: string;
}

/** The files of a pack by name, with the manifest of their hashes. The same source gives the same bytes. */
export async function filesOf(source: PackSource): Promise<{ readonly pack: Pack; readonly files: ReadonlyMap<string, string> }> {
  const { order, chains, seals, publicKey } = source;
  const pack = packOf(order, chains, await stateOf(source));
  const files = new Map<string, string>([
    ['report.html', htmlOf(pack)],
    ['evidence.json', json(pack)],
    ...(Object.keys(sections) as (keyof typeof sections)[]).map((name) => [`${name}.csv`, csvOf(pack[name])] as const),
    ['order.json', json(order)],
    ['log.jsonl', chains.map((chain) => `${JSON.stringify(chain)}\n`).join('')],
    ['seals.jsonl', seals.map((text) => `${text}\n`).join('')],
    ['public.pem', publicKey],
  ]);
  const hashes = Object.fromEntries([...files].map(([name, text]) => [name, sha256(text)]));
  files.set('manifest.json', json(hashes));
  return { pack, files };
}

/** The source that the files of a pack were made from. Throws an Error for files that are none. */
export function sourceOf(read: (name: string) => string): PackSource {
  const lines = (name: string) =>
    read(name)
      .split('\n')
      .filter((line) => line !== '');
  return {
    order: JSON.parse(read('order.json')),
    chains: lines('log.jsonl').map((line) => JSON.parse(line)),
    seals: lines('seals.jsonl'),
    publicKey: read('public.pem'),
  };
}

/** What names a pack: whoever wrote it down can tell that they have the same one. */
export const packHash = (files: ReadonlyMap<string, string>): string => sha256(files.get('manifest.json') ?? '');

async function stateOf({ chains, seals, publicKey }: PackSource): Promise<LogState> {
  const sealed = await verifySeals(seals, publicKey);
  const problems: Tampering[] = [...sealed.problems];
  let [entries, unsealed] = [0, 0];
  for (const found of chains) {
    const heads: readonly SealedHead[] = sealed.of.get(found.chain) ?? [];
    problems.push(...verifyChain(found, heads));
    entries += found.entries.length;
    unsealed += Math.max(0, found.head.seq - Math.max(0, ...heads.map(({ seq }) => seq)));
  }
  return { chains: chains.length, entries, unsealed, seals: sealed.seals, last: sealed.last, problems };
}

/** A cell that a spreadsheet would take for a formula begins with an apostrophe. */
function csvOf(rows: readonly object[]): string {
  return stringify([...rows], { header: true, escape_formulas: true, record_delimiter: 'windows' });
}

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
