import { generateKeyPairSync } from 'node:crypto';
import { appendFileSync, chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { replaceFile } from '../../adapters/replace-file.ts';
import type { BreakGlassKey } from '../../core/break-glass/prepare.ts';
import { type BreakGlassLine, type BreakGlassRecord, signRecord } from '../../core/break-glass/record.ts';
import { Refused } from '../../core/errors.ts';

/** What `rekey break-glass prepare` wrote down: ids and where the vendors are; never a value, never a fingerprint. */
export interface BreakGlassIndex {
  readonly stage: string;
  readonly madeAt: string;
  readonly signer: string;
  /** A laptop's installation: vendors on this machine may be asked. */
  readonly local: boolean;
  readonly sandboxUrl?: string;
  readonly region?: string;
  readonly privateHosts: readonly string[];
  readonly keys: readonly BreakGlassKey[];
}

export interface BreakGlassFolder {
  readonly path: string;
  readonly specs: string;
  readonly authorities: string;
  readonly records: string;
}

/** Where the responder keeps what is needed when nothing answers: REKEY_BREAK_GLASS, or `~/.rekey-break-glass`, by installation. */
export function breakGlassFolder(installation: string): BreakGlassFolder {
  const path = join(process.env['REKEY_BREAK_GLASS'] ?? join(homedir(), '.rekey-break-glass'), installation);
  return { path, specs: join(path, 'providers'), authorities: join(path, 'authorities.pem'), records: join(path, 'records.jsonl') };
}

/** The public half (PEM) of the key that signs records; made on first use, readable by its owner only, and never leaves this folder. */
export function signingKey({ path }: BreakGlassFolder): { readonly privateKey: string; readonly publicKey: string } {
  const [privateFile, publicFile] = [join(path, 'signing.key'), join(path, 'signing.pub')];
  mkdirSync(path, { recursive: true, mode: 0o700 });
  if (!existsSync(privateFile)) {
    const pair = generateKeyPairSync('ed25519');
    writeFileSync(publicFile, pair.publicKey.export({ type: 'spki', format: 'pem' }), { mode: 0o600 });
    writeFileSync(privateFile, pair.privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600, flag: 'wx' });
  }
  return { privateKey: readFileSync(privateFile, 'utf8'), publicKey: readFileSync(publicFile, 'utf8') };
}

/** Afterwards the index is on disk whole, readable by its owner only. */
export async function writeIndex({ path }: BreakGlassFolder, index: BreakGlassIndex): Promise<void> {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  chmodSync(path, 0o700);
  await replaceFile(join(path, 'index.json'), `${JSON.stringify(index, null, 1)}\n`);
}

/** Throws Refused E_NOT_FOUND when nothing was prepared on this machine. */
export function readIndex({ path }: BreakGlassFolder): BreakGlassIndex {
  try {
    return JSON.parse(readFileSync(join(path, 'index.json'), 'utf8'));
  } catch {
    throw new Refused(
      'E_NOT_FOUND',
      `nothing was prepared in ${path}: "rekey break-glass prepare" does that while Rekey answers. Without it: rekey revoke --break-glass --unmanaged --provider NAME --credential-id ID`,
    );
  }
}

/** What was done without Rekey so far, oldest first. Throws Refused E_INPUT_INVALID for a damaged file. */
export function readRecords({ records }: BreakGlassFolder): BreakGlassRecord[] {
  if (!existsSync(records)) return [];
  try {
    const lines = readFileSync(records, 'utf8').split('\n').filter(Boolean);
    return lines.map((line) => JSON.parse(line) as BreakGlassRecord);
  } catch {
    throw new Refused('E_INPUT_INVALID', `${records} cannot be read: it is not one JSON document a line`);
  }
}

/** Signs a line and puts it behind the others. Afterwards it is on disk. */
export function writeRecord(folder: BreakGlassFolder, line: BreakGlassLine): BreakGlassRecord {
  const record = signRecord(line, readRecords(folder).at(-1), signingKey(folder).privateKey);
  appendFileSync(folder.records, `${JSON.stringify(record)}\n`, { mode: 0o600, flush: true });
  return record;
}
