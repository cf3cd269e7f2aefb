import { Sha256 } from '@aws-crypto/sha256-js';
import { GetSecretValueCommand, type GetSecretValueCommandOutput, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SignatureV4, type SignatureV4Init } from '@smithy/signature-v4';
import type { Receipts } from './notice.ts';

export interface SecretsOptions {
  readonly client: SecretsManagerClient;
  /** Which secret holds which key: a name or an ARN. What a notice says about places is not needed, and so not believed. */
  readonly secrets: Readonly<Record<string, string>>;
  /**
   * For a service that accepts keys: how long after its successor was written a value may still be alive, in seconds; the tier's `overlapMax`.
   * A process that starts later does not take it back.
   */
  readonly overlapSeconds?: number;
}

/** Reads values out of Secrets Manager; its two functions fit the options `read` and `readPrevious`. */
export function secretsManagerValues({ client, secrets, overlapSeconds = 0 }: SecretsOptions): {
  readonly read: (keyId: string) => Promise<string>;
  readonly readPrevious: (keyId: string) => Promise<string | undefined>;
} {
  const get = (keyId: string, stage: string): Promise<GetSecretValueCommandOutput> => {
    const SecretId = Object.hasOwn(secrets, keyId) ? secrets[keyId] : undefined;
    if (SecretId === undefined) throw new Error(`nobody said which secret holds ${keyId}`);
    return client.send(new GetSecretValueCommand({ SecretId, VersionStage: stage }));
  };
  const valueIn = ({ SecretString }: GetSecretValueCommandOutput): string => {
    if (!SecretString) throw new Error('the secret holds no text');
    return SecretString;
  };
  return {
    async read(keyId) {
      return valueIn(await get(keyId, 'AWSCURRENT'));
    },
    async readPrevious(keyId) {
      const { CreatedDate } = await get(keyId, 'AWSCURRENT');
      if (!CreatedDate || Date.now() > CreatedDate.getTime() + overlapSeconds * 1000) return undefined;
      return valueIn(await get(keyId, 'AWSPREVIOUS'));
    },
  };
}

export interface SignedReceiptsOptions {
  /** The stack's output `ApiUrl`. */
  readonly url: string;
  readonly region: string;
  /** The credentials of the IAM role or user whose name is the consumer's; the `credentials` of any client of the AWS SDK. */
  readonly credentials: SignatureV4Init['credentials'];
}

/** Longest time one receipt may take, in milliseconds. */
const callMs = 10_000;

/** Sends receipts to a deployed installation, signed with the service's own AWS credentials: the signature says who it is. */
export function signedReceipts({ url, region, credentials }: SignedReceiptsOptions): Receipts {
  const signer = new SignatureV4({ service: 'execute-api', region, credentials, sha256: Sha256 });
  const target = new URL('receipts', url.endsWith('/') ? url : `${url}/`);
  return {
    async send(receipt, signal) {
      const body = JSON.stringify(receipt);
      const signed = await signer.sign({
        method: 'POST',
        protocol: target.protocol,
        hostname: target.hostname,
        ...(target.port ? { port: Number(target.port) } : {}),
        path: target.pathname,
        headers: { host: target.host, 'content-type': 'application/json' },
        body,
      });
      const { host: _host, ...headers } = signed.headers;
      const limit = AbortSignal.any([signal, AbortSignal.timeout(callMs)]);
      const response = await fetch(target, { method: 'POST', headers, body, signal: limit });
      const text = await response.text();
      if (response.status >= 500) throw new Error(`the receipt was answered ${response.status}`);
      return response.ok ? 'accepted' : codeIn(text, response.status);
    },
  };
}

/** The code of a refusal; what the API itself refuses has none. */
function codeIn(text: string, status: number): string {
  try {
    return String((JSON.parse(text) as { error?: { code?: unknown } }).error?.code ?? `HTTP ${status}`);
  } catch {
    return `HTTP ${status}`;
  }
}
