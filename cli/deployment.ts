import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Refused } from '../core/errors.ts';

/** Where a deployed installation is: what `cdk deploy --outputs-file rekey.<stage>.json` wrote down. */
export interface Deployment {
  readonly stage: string;
  readonly apiUrl: string;
  readonly region: string;
  /** Twelve digits; undefined where only an address is known. */
  readonly account: string | undefined;
  /** Begins the name of every secret of Rekey's store. */
  readonly secretPrefix: string | undefined;
}

export interface DeploymentOptions {
  readonly url?: string;
  readonly stage?: string;
  readonly region?: string;
}

/**
 * The deployment that the options name. Throws Refused E_USAGE when nothing says where it is, and E_WRONG_ACCOUNT when `--region` is not
 * the region it was deployed to.
 */
export function findDeployment({ url, stage, region }: DeploymentOptions): Deployment {
  if (url !== undefined) return atAddress(url, stage ?? 'named by its address', region);
  const path = outputsFile(stage ?? '');
  const outputs = flat(parse(path));
  const topic = outputs.get('topicarn')?.split(':') ?? [];
  const apiUrl = outputs.get('apiurl');
  const home = topic[3] ?? regionOf(apiUrl ?? '');
  if (!apiUrl || !home) throw new Refused('E_USAGE', `${path} does not name the ApiUrl and TopicArn of a deployment of Rekey`);
  if (region !== undefined && region !== home)
    throw new Refused('E_WRONG_ACCOUNT', `${stage} is deployed in ${home}, and --region says ${region}`);
  return {
    stage: stage ?? '',
    apiUrl,
    region: home,
    account: topic[4],
    secretPrefix: outputs.get('secretprefix'),
  };
}

function atAddress(url: string, stage: string, region: string | undefined): Deployment {
  const home = region ?? regionOf(url);
  if (!URL.canParse(url)) throw new Refused('E_USAGE', '--url is not an address');
  if (!home) throw new Refused('E_USAGE', 'say with --region where that address is');
  return { stage, apiUrl: url, region: home, account: undefined, secretPrefix: undefined };
}

/** `https://<id>.execute-api.<region>.amazonaws.com` */
function regionOf(url: string): string | undefined {
  return /\.execute-api\.([a-z0-9-]+)\.amazonaws\.com/.exec(url)?.[1];
}

function outputsFile(stage: string): string {
  const name = `rekey.${stage}.json`;
  if (!/^[a-z0-9-]{1,32}$/.test(stage)) throw new Refused('E_USAGE', '--stage is a word of a–z, 0–9 and "-"');
  for (let folder = process.cwd(); ; folder = dirname(folder)) {
    if (existsSync(join(folder, name))) return join(folder, name);
    if (dirname(folder) === folder) break;
  }
  throw new Refused(
    'E_USAGE',
    `there is no ${name} here or above: write it with "npm run deploy -- --outputs-file ${name}", or give --url`,
  );
}

function parse(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    throw new Refused('E_INPUT_INVALID', `${path} is not JSON`);
  }
}

/** CDK groups outputs by stack; the names alone are ours. */
function flat(outputs: unknown): Map<string, string> {
  const found = new Map<string, string>();
  const look = (part: unknown): void => {
    for (const [name, inner] of Object.entries(part ?? {})) {
      if (typeof inner === 'string') found.set(name.toLowerCase(), inner);
      else if (typeof inner === 'object') look(inner);
    }
  };
  look(outputs);
  return found;
}
