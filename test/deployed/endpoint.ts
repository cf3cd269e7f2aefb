import { readFileSync } from 'node:fs';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { CannotRun } from './cannot-run.ts';
import { startEmulator } from './emulator.ts';

/** Endpoints whose gaps are known, see `allowed.ts`. */
export type EndpointName = 'ministack' | 'localstack' | 'aws' | 'another endpoint';

export interface Endpoint {
  readonly name: EndpointName;
  /** Undefined: AWS itself. */
  readonly url: string | undefined;
  /** Whether it goes on after the tests, so that everything must be taken away from it. */
  readonly outlives: boolean;
  /** What to set in a shell to use the same endpoint. */
  readonly environment: Readonly<Record<string, string>>;
  /** Ends what was started for it; nothing where it ran before. */
  stop(): Promise<void>;
}

/**
 * The endpoint that AWS_ENDPOINT_URL names; AWS itself with REKEY_TEST_AWS=yes; an emulator of our own otherwise. From then on the
 * environment of this process, and so of all its clients and children, names it. Throws CannotRun.
 */
export async function openEndpoint(say: (text: string) => void): Promise<Endpoint> {
  const given = process.env['AWS_ENDPOINT_URL'];
  if (given) return alreadyRunning(given);
  if (process.env['REKEY_TEST_AWS'] === 'yes') {
    if (!process.env['AWS_REGION']) throw new CannotRun('E_USAGE', 'say with AWS_REGION where in AWS the tests may deploy');
    return { name: 'aws', url: undefined, outlives: true, environment: {}, stop: async () => undefined };
  }
  const { environment, stop, log } = await startEmulator(say);
  use(environment);
  say(`the emulator listens on ${environment['AWS_ENDPOINT_URL']}; its log is ${log}`);
  return { name: 'ministack', url: environment['AWS_ENDPOINT_URL']!, outlives: false, environment, stop };
}

async function alreadyRunning(url: string): Promise<Endpoint> {
  if (!URL.canParse(url)) throw new CannotRun('E_USAGE', `AWS_ENDPOINT_URL is not an address: ${url}`);
  const {
    AWS_REGION = 'us-east-1',
    AWS_ACCESS_KEY_ID = 'test',
    AWS_SECRET_ACCESS_KEY = 'test',
    NODE_EXTRA_CA_CERTS,
    AWS_CA_BUNDLE,
  } = process.env;
  const environment = {
    AWS_ENDPOINT_URL: url.replace(/\/$/, ''),
    AWS_REGION,
    AWS_ACCESS_KEY_ID,
    AWS_SECRET_ACCESS_KEY,
    ...(NODE_EXTRA_CA_CERTS ? { NODE_EXTRA_CA_CERTS, AWS_CA_BUNDLE: AWS_CA_BUNDLE ?? NODE_EXTRA_CA_CERTS } : {}),
  };
  use(environment);
  const name = await nameOf(environment.AWS_ENDPOINT_URL);
  return { name, url: environment.AWS_ENDPOINT_URL, outlives: true, environment, stop: async () => undefined };
}

/** Emulators tell what they are at an address of their own. Throws CannotRun E_ENDPOINT when nobody answers at all. */
async function nameOf(url: string): Promise<EndpointName> {
  for (const name of ['ministack', 'localstack'] as const) {
    let response: Response;
    try {
      response = await fetch(`${url}/_${name}/health`, { signal: AbortSignal.timeout(10_000) });
    } catch (error) {
      const { cause } = error as { cause?: { code?: string } };
      throw new CannotRun('E_ENDPOINT', `nobody answers at ${url} (${cause?.code ?? (error as Error).name})`);
    }
    if (response.ok) return name;
  }
  return 'another endpoint';
}

function use(environment: Readonly<Record<string, string>>): void {
  // Profiles and sessions of the person who runs this would win over what is named here.
  for (const name of ['AWS_PROFILE', 'AWS_SESSION_TOKEN', 'AWS_DEFAULT_REGION']) delete process.env[name];
  Object.assign(process.env, environment);
  // Node reads NODE_EXTRA_CA_CERTS when it starts; this process has started.
  const certificate = environment['NODE_EXTRA_CA_CERTS'];
  if (certificate) setDefaultCACertificates([...getCACertificates('default'), readFileSync(certificate, 'utf8')]);
}
