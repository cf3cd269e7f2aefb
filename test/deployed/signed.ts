import { Sha256 } from '@aws-crypto/sha256-js';
import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { SignatureV4 } from '@smithy/signature-v4';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface SignedRequest {
  readonly method?: 'GET' | 'POST';
  /** The service's name in signatures. */
  readonly service: string;
  readonly url: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Who asks; the person who runs the tests when absent. */
  readonly as?: Credentials;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** One signed request, for our own API and for the few calls to services whose client is not installed. Throws when nobody answers. */
export async function signed({ method = 'POST', service, url, body, headers = {}, as }: SignedRequest): Promise<Answer> {
  const { host, hostname, pathname, protocol } = new URL(url);
  const region = process.env['AWS_REGION'] ?? 'us-east-1';
  const signer = new SignatureV4({ service, region, sha256: Sha256, credentials: as ?? defaultProvider() });
  const sent = body === undefined ? {} : { body };
  const request = { method, protocol, hostname, path: pathname, headers: { host, ...headers }, ...sent };
  const { host: _host, ...rest } = (await signer.sign(request)).headers;
  const response = await fetch(url, { method, headers: rest, ...sent, signal: AbortSignal.timeout(60_000) });
  return { status: response.status, text: await response.text() };
}

/** A call of KMS, whose protocol is JSON. Throws an Error with the service's answer. */
export async function kms(action: string, input: object): Promise<Readonly<Record<string, unknown>>> {
  const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `TrentService.${action}` };
  const answer = await signed({ service: 'kms', url: addressOf('kms'), body: JSON.stringify(input), headers });
  if (answer.status >= 300) throw new Error(`KMS ${action}: ${answer.text.slice(0, 200)}`);
  return JSON.parse(answer.text || '{}');
}

/** The hash of the code that a function runs. Throws an Error with the service's answer. */
export async function codeHashOf(functionName: string): Promise<string> {
  const url = `${addressOf('lambda')}2015-03-31/functions/${functionName}/configuration`;
  const answer = await signed({ method: 'GET', service: 'lambda', url });
  if (answer.status !== 200) throw new Error(`Lambda GetFunctionConfiguration: ${answer.status} ${answer.text.slice(0, 200)}`);
  return (JSON.parse(answer.text) as { CodeSha256: string }).CodeSha256;
}

/** Runs a function with an event, as the Scheduler does, and waits for its answer. */
export function invoke(functionName: string, event: string): Promise<Answer> {
  const url = `${addressOf('lambda')}2015-03-31/functions/${functionName}/invocations`;
  return signed({ service: 'lambda', url, body: event });
}

/** Has a function run with an event that nobody waits for. Throws an Error with the service's answer. */
export async function invokeAndGoOn(functionName: string, event: string): Promise<void> {
  const url = `${addressOf('lambda')}2015-03-31/functions/${functionName}/invocations`;
  const { status, text } = await signed({ service: 'lambda', url, body: event, headers: { 'x-amz-invocation-type': 'Event' } });
  if (status !== 202) throw new Error(`Lambda Invoke: ${status} ${text.slice(0, 200)}`);
}

/** A call of CloudFormation, whose answers are XML. Throws an Error with the service's answer. */
export async function cloudFormation(action: string, input: Readonly<Record<string, string>>): Promise<string> {
  const body = new URLSearchParams({ Action: action, Version: '2010-05-15', ...input }).toString();
  const headers = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' };
  const answer = await signed({ service: 'cloudformation', url: addressOf('cloudformation'), body, headers });
  if (answer.status >= 300) throw new Error(`CloudFormation ${action}: ${answer.text.slice(0, 300)}`);
  return answer.text;
}

function addressOf(service: string): string {
  return `${process.env['AWS_ENDPOINT_URL'] ?? `https://${service}.${process.env['AWS_REGION']}.amazonaws.com`}/`;
}
