import { DeleteParameterCommand, GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { table } from '../../cli/output.ts';
import type { Endpoint } from './endpoint.ts';
import type { NotRun } from './journey.ts';
import { dataTrials } from './trials/data.ts';
import { identityTrials } from './trials/identity.ts';
import { closeLab, openLab, type Trial } from './trials/lab.ts';
import { messageTrials } from './trials/messages.ts';

const trials = [...identityTrials, ...dataTrials, ...messageTrials] as const;

/** What an endpoint must do for a journey to show anything. */
export type Capability = (typeof trials)[number]['id'] | 'retain' | 'vendor';

export interface Answered {
  readonly capability: Capability;
  readonly asks: string;
  /** What was observed, or undefined. */
  readonly seen?: string;
  /** Why it is missing. */
  readonly missing?: string;
}

/** Asks the endpoint for everything that journeys need, by trying it with throw-away resources under `name`. */
export async function askCapabilities(endpoint: Endpoint, name: string): Promise<Answered[]> {
  const lab = openLab(name);
  const answered = await Promise.all(trials.map(({ id, asks, run }: Trial<Capability>) => ask(id, asks, () => run(lab))));
  const retain = await ask('retain', 'CloudFormation keeps what it is told to retain', async () => {
    await closeLab(lab);
    const kept = { Name: `/${name}/retained` };
    const ssm = new SSMClient({});
    const { Parameter } = await ssm.send(new GetParameterCommand(kept));
    await ssm.send(new DeleteParameterCommand(kept));
    return `the stack is gone, and its parameter says: ${Parameter?.Value}`;
  });
  const vendor = await ask('vendor', 'functions can reach a vendor on this machine', async () => {
    const host = endpoint.url ? new URL(endpoint.url).hostname : 'AWS';
    if (!['127.0.0.1', 'localhost', '[::1]'].includes(host)) throw new Error(`the functions run elsewhere, at ${host}`);
    return 'the endpoint is on this machine';
  });
  return [...answered, retain, vendor];
}

/** What is missing, for the journeys that need it. */
export function missingOf(answered: readonly Answered[]): NotRun[] {
  return answered.flatMap(({ capability, missing }) => (missing === undefined ? [] : [{ what: capability, why: missing }]));
}

/** One row for each question. */
export function capabilityTable(answered: readonly Answered[]): string {
  const rows = answered.map(({ capability, asks, seen, missing }) => [
    capability,
    seen === undefined ? 'no' : 'yes',
    asks,
    seen ?? missing ?? '',
  ]);
  return table(['CAPABILITY', '', 'ASKED', 'OBSERVED'], rows);
}

async function ask(capability: Capability, asks: string, work: () => Promise<string>): Promise<Answered> {
  try {
    return { capability, asks, seen: await work() };
  } catch (error) {
    return { capability, asks, missing: (error as Error).message.replace(/\s+/g, ' ').slice(0, 160) };
  }
}
