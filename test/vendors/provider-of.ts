import { Readable } from 'node:stream';
import { APIGatewayClient, type APIGatewayClientConfig } from '@aws-sdk/client-api-gateway';
import { apiGatewayProvider } from '../../adapters/providers/aws-api-gateway.ts';
import { egress, type Outgoing } from '../../adapters/providers/egress.ts';
import { githubDeployKeyProvider } from '../../adapters/providers/github-deploy-key.ts';
import { httpProvider } from '../../adapters/providers/http.ts';
import { bundledSpecs, loadSpecs } from '../../adapters/providers/load-spec.ts';
import { nativeNames } from '../../adapters/providers/registry.ts';
import type { Provider } from '../../core/ports.ts';
import { Value } from '../../core/value.ts';
import type { Description, Vendor } from './engine.ts';
import { sendTo, serveVendor } from './serve.ts';

const specs = loadSpecs([bundledSpecs]);

/** The ids of the shipped specs. */
export const specIds: readonly string[] = specs.map(({ metadata }) => metadata.id);

/** The provider that a vendor is described for, in virtual time: without sockets. */
export function providerInside(vendor: Vendor): Provider {
  const { description } = vendor;
  const send = sendTo(vendor);
  if (description.provider === 'github-deploy-key') return githubDeployKeyProvider({ admin: adminOf(description), callSeconds: 5, send });
  if (description.provider !== 'aws-api-gateway') return httpProvider({ ...specOf(description), callSeconds: 5, send });
  const requestHandler: APIGatewayClientConfig['requestHandler'] = {
    async handle({ protocol, hostname, path, query = {}, method, headers, body }: Signed) {
      const url = new URL(`${protocol}//${hostname}${path}?${new URLSearchParams(query as Record<string, string>)}`);
      const { status, text, ...answer } = await send({
        method,
        url,
        headers,
        ...(body === undefined ? {} : { body: Buffer.from(body as Uint8Array).toString() }),
      });
      return { response: { statusCode: status, headers: answer.headers, body: Readable.from([Buffer.from(text)]) } } as never;
    },
  };
  return apiGatewayProvider({ client: new APIGatewayClient({ ...signer, requestHandler }), region, stage: 'test', callSeconds: 5, send });
}

/** The provider and its vendor behind real HTTP on this machine. */
export async function providerServed(vendor: Vendor): Promise<{ readonly provider: Provider; close(): Promise<void> }> {
  const { description } = vendor;
  const isNative = nativeNames.includes(description.provider);
  const listed = isNative ? [] : specOf(description).spec.egress.filter((host) => !host.startsWith('*'));
  const { origins, close } = await serveVendor(vendor, [...listed, ...(description.hosts ?? [])]);
  if (!isNative) return { provider: httpProvider({ ...specOf(description), callSeconds: 5, allowLoopback: true, origins }), close };
  const out = egress({ hosts: ['127.0.0.1'], allowLoopback: true });
  const sent = (outgoing: Outgoing, signal: AbortSignal) =>
    out({ ...outgoing, url: new URL(`${origins[outgoing.url.origin]}${outgoing.url.pathname}${outgoing.url.search}`) }, signal);
  if (description.provider === 'github-deploy-key')
    return { provider: githubDeployKeyProvider({ admin: adminOf(description), callSeconds: 5, send: sent }), close };
  const provider = apiGatewayProvider({
    client: new APIGatewayClient({ ...signer, endpoint: origins[`https://apigateway.${region}.amazonaws.com`] ?? '' }),
    ...{ region, stage: 'test', callSeconds: 5 },
    send: sent,
  });
  return { provider, close };
}

/** A request as the SDK hands it to whoever sends it. */
interface Signed {
  readonly protocol: string;
  readonly hostname: string;
  readonly path: string;
  readonly query?: Record<string, unknown>;
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: unknown;
}

const region = 'eu-west-1';
/** AWS's documentation uses the id. */
const signer = { region, maxAttempts: 1, credentials: { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'made-up' } };

function specOf(description: Description) {
  const spec = specs.find(({ metadata }) => metadata.id === description.provider);
  if (!spec) throw new Error(`no spec is called ${description.provider}`);
  return { spec, admin: adminOf(description) };
}

function adminOf(description: Description) {
  const admin = Object.fromEntries(Object.entries(description.admin).map(([name, text]) => [name, new Value(text)]));
  return async () => admin;
}
