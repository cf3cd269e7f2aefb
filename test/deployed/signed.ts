import { Sha256 } from '@aws-crypto/sha256-js';
import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { SignatureV4 } from '@smithy/signature-v4';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface SignedRequest {
  /** The service's name in signatures. */
  readonly service: string;
  readonly url: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Who asks; the person who runs the tests when absent. */
  readonly as?: Credentials;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** One signed POST, for our own API and for the few calls to services whose client is not installed. Throws when nobody answers. */
export async function signedPost({ service, url, body, headers = {}, as }: SignedRequest): Promise<Answer> {
  const { host, hostname, pathname, protocol } = new URL(url);
  const region = process.env['AWS_REGION'] ?? 'us-east-1';
  const signer = new SignatureV4({ service, region, sha256: Sha256, credentials: as ?? defaultProvider() });
  const request = { method: 'POST', protocol, hostname, path: pathname, headers: { host, ...headers }, body };
  const { host: _host, ...signed } = (await signer.sign(request)).headers;
  const response = await fetch(url, { method: 'POST', headers: signed, body, signal: AbortSignal.timeout(60_000) });
  return { status: response.status, text: await response.text() };
}

/** A call of KMS, whose protocol is JSON. Throws an Error with the service's answer. */
export async function kms(action: string, input: object): Promise<void> {
  const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `TrentService.${action}` };
  const answer = await signedPost({ service: 'kms', url: addressOf('kms'), body: JSON.stringify(input), headers });
  if (answer.status >= 300) throw new Error(`KMS ${action}: ${answer.text.slice(0, 200)}`);
}

/** A call of CloudFormation, whose answers are XML. Throws an Error with the service's answer. */
export async function cloudFormation(action: string, input: Readonly<Record<string, string>>): Promise<string> {
  const body = new URLSearchParams({ Action: action, Version: '2010-05-15', ...input }).toString();
  const headers = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' };
  const answer = await signedPost({ service: 'cloudformation', url: addressOf('cloudformation'), body, headers });
  if (answer.status >= 300) throw new Error(`CloudFormation ${action}: ${answer.text.slice(0, 300)}`);
  return answer.text;
}

function addressOf(service: string): string {
  return `${process.env['AWS_ENDPOINT_URL'] ?? `https://${service}.${process.env['AWS_REGION']}.amazonaws.com`}/`;
}
