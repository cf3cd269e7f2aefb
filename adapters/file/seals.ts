import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { DestinationUnavailable, StoreConflict } from '../../core/errors.ts';
import type { Seals } from '../../core/ports.ts';
import { signerOf } from '../../core/seal/verify-seals.ts';

export interface FileSealsOptions {
  /** Where the seals are kept, one file each: copy it elsewhere, and what was sealed cannot be rewritten here unseen. */
  readonly dir: string;
  /** The Ed25519 key that signs them (PEM, mode 0600); made on first use. */
  readonly keyFile: string;
}

/** Seals as files that are never replaced. Its errors are those of the port. */
export function fileSeals({ dir, keyFile }: FileSealsOptions): Seals {
  const path = (number: number) => join(dir, `${String(number).padStart(10, '0')}.json`);
  let held: Promise<KeyObject> | undefined;
  const key = () => {
    held ??= signingKey(keyFile, dir).catch((error: Error) => {
      held = undefined;
      throw error;
    });
    return held;
  };
  const publicKey = async () =>
    createPublicKey(await key())
      .export({ type: 'spki', format: 'pem' })
      .toString();
  return {
    publicKey,
    async sign(hash) {
      const signature = sign(null, Buffer.from(hash), await key()).toString('base64');
      return { signer: signerOf(await publicKey()), algorithm: 'Ed25519', signature };
    },
    async keep(number, text) {
      if (await create(path(number), text, 0o400)) return;
      if ((await read(path(number))) !== text) throw new StoreConflict(`there is another seal ${number}`);
    },
    read: (number) => read(path(number)),
    async last() {
      return Math.max(0, ...(await numbers(dir)));
    },
  };
}

async function numbers(dir: string): Promise<number[]> {
  const names = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw unavailable(error);
  });
  return names.flatMap((name) => (/^\d{10}\.json$/.test(name) ? [Number.parseInt(name, 10)] : []));
}

async function signingKey(path: string, dir: string): Promise<KeyObject> {
  const found = await read(path);
  if (found) return createPrivateKey(found);
  if ((await numbers(dir)).length > 0)
    throw new DestinationUnavailable('the signing key of the seals is missing, and there are seals that it signed');
  const { privateKey } = generateKeyPairSync('ed25519');
  await create(path, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), 0o600);
  return createPrivateKey((await read(path)) ?? '');
}

async function read(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unavailable(error);
  }
}

/** Whole, or not at all; false when the file is there: link() never replaces. */
async function create(path: string, text: string, mode: number): Promise<boolean> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomUUID()}.tmp`;
  const file = await open(draft, 'wx', mode);
  try {
    await file.writeFile(text);
    await file.sync();
    await link(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw unavailable(error);
  } finally {
    await file.close();
    await rm(draft, { force: true });
  }
}

const unavailable = (error: unknown) =>
  new DestinationUnavailable(`the folder of the seals cannot be used (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
