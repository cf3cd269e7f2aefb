import * as z from 'zod/mini';
import { type Problem, Refused } from '../core/errors.ts';
import type { KeyFacts } from '../core/key.ts';
import type { Ports } from '../core/ports.ts';
import { claimPrincipal } from '../core/principal.ts';
import { providerProblems } from '../core/provider-fit.ts';
import { type Registered, registerKey } from '../core/register.ts';
import { tierOf } from '../core/tier.ts';
import { factsProblems, keyFacts } from './facts.ts';
import { list } from './fields.ts';
import { type Request, request } from './request.ts';

/** What became of one row: it was registered, it could be, or what is wrong with it. */
export type ImportedRow =
  | Pick<Registered, 'keyId' | 'tier' | 'outcome'>
  | { readonly keyId: string; readonly tier: string; readonly outcome: 'good' }
  | { readonly keyId: string; readonly outcome: 'refused'; readonly problems: readonly Problem[] };

/** How many rows one request takes, and how many of them are at work side by side. */
const rowsAtOnce = 100;
const sideBySide = 16;

/** `key.register` for many keys at once. One row's trouble is that row's answer, and does not keep the others. */
export const registerMany: Request = request(
  'create',
  z.strictObject({ rows: list(keyFacts, rowsAtOnce).check(z.minLength(1)), dryRun: z.exactOptional(z.boolean()) }),
  async (ports, { rows, dryRun }, actor) => {
    const done: ImportedRow[] = [];
    for (let i = 0; i < rows.length; i += sideBySide)
      done.push(...(await Promise.all(rows.slice(i, i + sideBySide).map((facts) => one(ports, facts, dryRun === true, actor)))));
    return done;
  },
);

/** Whether somebody asks for many keys: the same right, the same route, and a list of facts. */
export const asksForMany = (input: unknown): boolean => typeof input === 'object' && input !== null && Object.hasOwn(input, 'rows');

async function one(ports: Ports, facts: KeyFacts, dryRun: boolean, actor: string): Promise<ImportedRow> {
  try {
    const problems = factsProblems(facts, ports.policy);
    if (problems.length) return { keyId: facts.id, outcome: 'refused', problems };
    if (dryRun) return await looked(ports, facts);
    const { keyId, outcome, tier } = await registerKey(ports, facts, actor);
    return { keyId, outcome, tier };
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    const problems = error.problems.length ? error.problems : [{ path: '', message: error.message }];
    return { keyId: facts.id, outcome: 'refused', problems };
  }
}

/** Whether a row could be registered, as far as that can be seen without doing it. Throws Refused. */
async function looked(ports: Ports, facts: KeyFacts): Promise<ImportedRow> {
  const problems = providerProblems(ports.provider(facts.provider), facts, ports.policy);
  if (problems.length) return { keyId: facts.id, outcome: 'refused', problems };
  for (const { kind } of facts.destinations) ports.destination(kind);
  await claimPrincipal(ports, facts);
  return { keyId: facts.id, tier: tierOf(facts, ports.policy).tier, outcome: 'good' };
}
