import { record } from '../attempt.ts';
import { proveDead } from '../ending.ts';
import { ProbeAgain } from '../errors.ts';
import { putItem, versionItem } from '../items.ts';
import type { Findings, Repair } from './repair.ts';

/**
 * A version that its vendor ends by itself is proven dead when its end has passed: one probe a look, as often in a row as the spec asks.
 * One that is still accepted then is an error like any other repair's.
 */
export async function ended({ versions, now }: Findings): Promise<Repair[]> {
  const due = versions.filter(({ state, endsAt }) => state === 'disabling' && endsAt !== undefined && now >= endsAt);
  return due.map(
    (version): Repair =>
      async (attempt) => {
        try {
          const dead = await proveDead(attempt, version);
          await record(attempt, () => ({
            writes: [putItem(versionItem(attempt.keyId, { ...dead.version, role: 'none' })), dead.certificate],
            events: [{ event: 'version.dead', detail: { version: version.number, proof: dead.proof } }],
          }));
          return `version ${version.number} ended by its vendor`;
        } catch (error) {
          if (error instanceof ProbeAgain) return `version ${version.number} probed`;
          throw error;
        }
      },
  );
}
