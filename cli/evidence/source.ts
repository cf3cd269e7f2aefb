import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import * as z from 'zod/mini';
import { Refused } from '../../core/errors.ts';
import { keyRow } from '../../core/evidence-pack/key-row.ts';
import type { Control } from '../../core/evidence-pack/pack.ts';
import type { Period } from '../../core/evidence-pack/period.ts';
import type { PolicyView } from '../../core/policy/show-policy.ts';
import { sealFor } from '../../core/seal/seal.ts';
import { entriesOf, everyChain, everySeal } from '../audit-source.ts';
import type { Session } from '../session.ts';
import type { PackSource } from './files.ts';

/** What somebody wants a pack of. */
export interface PackRequest extends Period {
  readonly unit?: string | undefined;
  readonly madeAt: string;
  /** A file; the one that ships with Rekey when it is absent. */
  readonly controls?: string | undefined;
}

/** Everything that a pack is made from, as the installation answers it. Of a unit, nothing of any other. Throws Refused. */
export async function packSource(session: Session, { from, to, unit, madeAt, controls }: PackRequest): Promise<PackSource> {
  const { policy } = await session.door.ask<PolicyView>('policy.show', {});
  const chains = await chainsOf(session, unit, { from, to });
  const mine = new Set(chains.map(({ chain }) => chain));
  const seals: string[] = [];
  let publicKey = '';
  const told = (key: string) => {
    publicKey = key;
  };
  for await (const text of everySeal(session, told)) seals.push(unit === undefined || text === '' ? text : sealFor(text, mine));
  const order = { from, to, stage: session.door.name, unit: unit ?? null, madeAt, policy, controls: controlsOf(controls) };
  return { order, chains, seals, publicKey };
}

/** A key that changed hands is of the unit that has it at the end of the period, so that no two units get its rows; a unit gets no journal. */
async function chainsOf(session: Session, unit: string | undefined, period: Period): Promise<PackSource['chains']> {
  const chains: PackSource['chains'][number][] = [];
  for await (const { chain, seq, hash } of everyChain(session)) {
    const found = { chain, entries: await entriesOf(session, chain), head: { seq, hash } };
    if (unit === undefined || keyRow(found, period)?.unit === unit) chains.push(found);
    session.redraw(`${chains.length} chains read`);
  }
  return chains.sort((a, b) => (a.chain < b.chain ? -1 : 1));
}

const table = z.array(z.strictObject({ framework: z.string(), id: z.string(), asks: z.string(), sections: z.array(z.string()) }));

function controlsOf(path = join(import.meta.dirname, 'controls.yaml')): Control[] {
  const parsed = table.safeParse(parse(textOf(path)));
  if (parsed.success) return parsed.data;
  throw new Refused('E_INPUT_INVALID', `${path} is no table of controls`, [
    { path: parsed.error.issues[0]?.path.join('.') ?? '', message: 'each row has framework, id, asks and sections' },
  ]);
}

/** A file's text. Throws Refused E_USAGE. */
export function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Refused('E_USAGE', `${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
}
