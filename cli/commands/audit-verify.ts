import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { Refused } from '../../core/errors.ts';
import { verifyChain } from '../../core/seal/verify-chain.ts';
import { type SealedHeads, type Tampering, verifySeals } from '../../core/seal/verify-seals.ts';
import { chainName, entriesOf, everyChain, everySeal } from '../audit-source.ts';
import { exits } from '../ending.ts';
import { table } from '../output.ts';
import { action, examples, type Session } from '../session.ts';

interface Options {
  readonly seals?: string;
  readonly publicKey?: string;
  readonly lastSeal?: string;
}

/** `rekey audit verify`: whether the audit is as it was written, and where it is not. */
export function auditVerify(): Command {
  return new Command('verify')
    .description('check every audit chain against itself and against its seals; say what was edited, and where')
    .option('--seals <folder>', 'a copy of the seals that was kept elsewhere, instead of the installation’s own')
    .option(
      '--public-key <file>',
      'the key that the seals must be signed with (PEM), as it was written down; by default the installation’s',
    )
    .option('--last-seal <hash>', 'a seal that must be among them: what an earlier run printed')
    .addHelpText('after', examples('audit verify', 'audit verify --seals /backup/seals --public-key rekey.pem', 'audit verify --json'))
    .action(action<Options>(run));
}

async function run(session: Session, options: Options): Promise<number> {
  const seals = await sealsOf(session, options);
  const problems: Tampering[] = [...seals.problems];
  if (options.lastSeal !== undefined && !seals.hashes.has(options.lastSeal))
    problems.push({ chain: 'SEALS', seq: seals.seals, kind: 'truncated', message: 'the seal that was named is not among them' });
  const missed = new Set(seals.of.keys());
  let [chains, entries, unsealed] = [0, 0, 0];
  for await (const head of everyChain(session)) {
    const found = await entriesOf(session, head.chain);
    const sealed = seals.of.get(head.chain) ?? [];
    problems.push(...verifyChain({ chain: head.chain, entries: found, head }, sealed));
    missed.delete(head.chain);
    chains += 1;
    entries += found.length;
    unsealed += Math.max(0, head.seq - Math.max(0, ...sealed.map(({ seq }) => seq)));
    session.redraw(`${chains} chains checked`);
  }
  for (const chain of missed) problems.push({ chain, seq: 1, kind: 'deleted', message: 'the whole chain is gone, and was sealed' });
  const document = { holds: problems.length === 0, chains, entries, unsealed, seals: seals.seals, last: seals.last, problems };
  session.result(document, () => text(document));
  return problems.length ? exits.needsPerson : exits.ok;
}

async function sealsOf(session: Session, { seals: folder, publicKey }: Options): Promise<SealedHeads> {
  let named = '';
  const texts: string[] = [];
  for await (const text of folder === undefined ? everySeal(session, (key) => (named = key)) : kept(folder)) {
    texts.push(text);
  }
  if (named === '' && publicKey === undefined) for await (const _ of everySeal(session, (key) => (named = key))) break;
  const given = publicKey === undefined ? named : read(publicKey);
  return verifySeals(texts, given).catch(() => {
    throw new Refused('E_USAGE', `${publicKey ?? 'what the installation answers'} is no public key`);
  });
}

function kept(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => /^\d{10}\.json$/.test(name))
      .sort()
      .map((name) => readFileSync(join(folder, name), 'utf8'));
  } catch (error) {
    throw unreadable(folder, error);
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw unreadable(path, error);
  }
}

const unreadable = (path: string, error: unknown) =>
  new Refused('E_USAGE', `${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);

interface Document extends Pick<SealedHeads, 'seals' | 'last'> {
  readonly chains: number;
  readonly entries: number;
  readonly unsealed: number;
  readonly problems: readonly Tampering[];
}

function text({ chains, entries, unsealed, seals, last, problems }: Document): string {
  const looked = `${entries} entries in ${chains} chains, against ${seals} seals${last ? `, the last of ${last.at}` : ''}.`;
  const tail = unsealed ? `\n${unsealed} entries came after the last seal: they hold in themselves, and no seal covers them yet.` : '';
  const note = last ? `\nWrite down the last seal: ${last.hash}` : '';
  if (problems.length === 0) return `Everything is as it was written: ${looked}${tail}${note}`;
  const rows = problems.map(({ chain, seq, kind, message }) => [
    chain === 'SEALS' ? 'the seals' : chainName(chain),
    String(seq),
    kind,
    message,
  ]);
  return `The audit is not as it was written: ${looked}\n\n${table(['WHERE', 'FROM', 'WHAT', 'SEEN'], rows)}`;
}
