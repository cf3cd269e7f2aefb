import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DestinationUnavailable, RekeyError, StoreConflict } from '../../core/errors.ts';
import type { SecretStore } from '../../core/ports.ts';
import { Value } from '../../core/value.ts';
import { withFileLock } from '../file-lock.ts';
import { replaceFile } from '../replace-file.ts';
import { masterKey } from './master-key.ts';

export interface FileSecretStoreOptions {
  /** Made with mode 0700; holds one file per key, mode 0600. */
  readonly dir: string;
  /** 32 bytes in hex, made with mode 0600 on first use. Without it nothing in `dir` can be read again. */
  readonly masterKeyFile: string;
  /** Most seconds to wait while another process writes the same key. */
  readonly callSeconds?: number;
}

/** One key's file. Only `data` is secret: AES-256-GCM, bound to its key id and token so that it cannot be moved to another. */
interface Secret {
  readonly keyId: string;
  readonly versions: Record<string, { readonly iv: string; readonly data: string; readonly tag: string }>;
  /** Label to token: a label names one version. */
  readonly labels: Record<string, string>;
}

/**
 * The secret store of the laptop, with the label rules of AWS Secrets Manager. Safe for several processes at once:
 * writers of one key take turns, readers see the file before or after a write, and nothing is kept between two calls.
 */
export function fileSecretStore({ dir, masterKeyFile, callSeconds = 10 }: FileSecretStoreOptions): SecretStore {
  const fileOf = (keyId: string) => join(dir, `${encodeURIComponent(keyId)}.json`);

  /** Reads, lets `edit` say what the file shall hold (undefined: nothing to write), and replaces it. */
  const change = (keyId: string, edit: (secret: Secret) => Promise<Secret | undefined> | Secret | undefined) =>
    orUnavailable(keyId, async () => {
      await mkdir(dir, { recursive: true, mode: 0o700 });
      await withFileLock(fileOf(keyId), callSeconds, async (held) => {
        const next = await edit((await load(fileOf(keyId))) ?? { keyId, versions: {}, labels: {} });
        if (next) await replaceFile(fileOf(keyId), `${JSON.stringify(next, null, 2)}\n`, held);
      });
    });

  return {
    put: (keyId, token, value) =>
      change(keyId, async (secret) => {
        const key = await masterKey(masterKeyFile, dir);
        const stored = open(secret, token, key);
        if (stored && !stored.equals(value)) throw new StoreConflict(`version ${token} of ${keyId} already holds another value`);
        if (stored) return undefined;
        return {
          keyId,
          versions: { ...secret.versions, [token]: seal(keyId, token, value, key) },
          labels: { ...secret.labels, AWSPENDING: token },
        };
      }),

    read: (keyId, token) =>
      orUnavailable(keyId, async () => {
        const secret = await load(fileOf(keyId));
        return secret?.versions[token] && open(secret, token, await masterKey(masterKeyFile, dir));
      }),

    labels: (keyId) => orUnavailable(keyId, async () => (await load(fileOf(keyId)))?.labels ?? {}),

    promote: (keyId, to, from) =>
      change(keyId, (secret) => {
        if (!secret.versions[to]) throw new StoreConflict(`${keyId} has no version ${to}`);
        const current = secret.labels.AWSCURRENT ?? null;
        if (current === to) return undefined;
        if (current !== from) throw new StoreConflict(`AWSCURRENT of ${keyId} is on ${current ?? 'no version'}, not on ${from ?? 'none'}`);
        return { ...secret, labels: { ...secret.labels, AWSCURRENT: to, ...(from === null ? {} : { AWSPREVIOUS: from }) } };
      }),

    strip: (keyId, token) =>
      change(keyId, (secret) => {
        const kept = Object.entries(secret.labels).filter(([label, on]) => on !== token || label === 'AWSCURRENT');
        return kept.length === Object.keys(secret.labels).length ? undefined : { ...secret, labels: Object.fromEntries(kept) };
      }),
  };
}

async function load(path: string): Promise<Secret | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  return JSON.parse(text);
}

function seal(keyId: string, token: string, value: Value, key: Buffer) {
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(boundTo(keyId, token));
  const data = Buffer.concat([cipher.update(value.reveal(), 'utf8'), cipher.final()]);
  return { iv: iv.toString('base64'), data: data.toString('base64'), tag: cipher.getAuthTag().toString('base64') };
}

function open(secret: Secret, token: string, key: Buffer): Value | undefined {
  const sealed = secret.versions[token];
  if (!sealed) return undefined;
  const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(sealed.iv, 'base64'), { authTagLength: 16 });
  decipher.setAAD(boundTo(secret.keyId, token)).setAuthTag(Buffer.from(sealed.tag, 'base64'));
  const text = Buffer.concat([decipher.update(Buffer.from(sealed.data, 'base64')), decipher.final()]);
  return new Value(text.toString('utf8'));
}

function boundTo(keyId: string, token: string): Buffer {
  return Buffer.from(JSON.stringify([keyId, token]), 'utf8');
}

/** Only named errors leave, without the text of a file and without a path. */
async function orUnavailable<T>(keyId: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof RekeyError) throw error;
    const { code, name } = error as NodeJS.ErrnoException;
    throw new DestinationUnavailable(`the secret file of ${keyId} cannot be read or written: ${code ?? name}`);
  }
}
