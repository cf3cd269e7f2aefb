import { randomBytes } from 'node:crypto';
import { askCapabilities, capabilityTable, missingOf } from './capabilities.ts';
import { cleanUp } from './clean-up.ts';
import { openClients } from './clients.ts';
import { type Cloud, openCloud } from './cloud.ts';
import { type Endpoint, openEndpoint } from './endpoint.ts';
import type { NotRun } from './journey.ts';
import { removePrincipals } from './principals.ts';
import { prepareStack, type Stack } from './stack.ts';
import { clearLab } from './trials/lab.ts';
import { type StageVendor, startStageVendor } from './vendor.ts';

/** Everything that a run of the deployed tests stands on. */
export interface Ground {
  /** Opens the endpoint, asks what it can, and deploys. Throws CannotRun. */
  deploy(): Promise<{ readonly cloud: Cloud; readonly missing: readonly NotRun[] }>;
  /** Takes away what there is of it, however far it came. Returns what could not be removed, in sentences. */
  takeAway(): Promise<string[]>;
}

/** Nothing is there before `deploy`, and nothing is left after `takeAway`. */
export function layGround(say: (letter: string, text: string) => void): Ground {
  const stage = `t${randomBytes(4).toString('hex')}`;
  let endpoint: Endpoint | undefined;
  let vendor: StageVendor | undefined;
  let stack: Stack | undefined;
  let asked: ReturnType<typeof askCapabilities> | undefined;
  const lab = `${stage}-try`;

  return {
    async deploy() {
      endpoint = await openEndpoint((text) => say('', text));
      vendor = await startStageVendor();
      asked = askCapabilities(endpoint, lab);
      // Waited for below, or when everything is taken away.
      asked.catch(() => undefined);
      stack = await prepareStack(endpoint, stage, vendor);
      say('', `deploying stage ${stage} to ${endpoint.url ?? 'AWS'}`);
      await stack.deploy();
      const made = await stack.resources();
      const cloud = await openCloud(endpoint, stack, vendor);
      say('', `deployed ${made.length} resources`);
      const answered = await asked;
      say('', `this endpoint is ${endpoint.name}:\n${capabilityTable(answered)}`);
      return { cloud, missing: missingOf(answered) };
    },

    async takeAway() {
      const left: string[] = [];
      const take = async (what: string, work: () => Promise<unknown>) => {
        try {
          await work();
        } catch (error) {
          left.push(`${what} is not taken away: ${(error as Error).message}`);
        }
      };
      // An emulator of our own ends with everything in it.
      if (endpoint?.outlives) {
        await take(`stack ${lab}`, async () => {
          if (asked) await clearLab(lab);
        });
        await take(`stage ${stage}`, async () => {
          if (!stack) return;
          // However far a deployment came: what it retains is named by the stack alone.
          const made = await stack.resources();
          // A policy that somebody holds cannot be deleted.
          await removePrincipals(stage);
          await stack.destroy();
          left.push(...(await cleanUp(stage, made, openClients())));
        });
      }
      await vendor?.vendor.stop();
      await endpoint?.stop();
      return left;
    },
  };
}
