import { ConditionFailed, Refused } from '../errors.ts';
import type { ItemKey } from '../inventory.ts';
import { writeJournal } from '../journal.ts';
import type { Ports } from '../ports.ts';
import { revoke } from '../revoke/begin.ts';
import { findCredential } from '../revoke/find.ts';
import { breakGlassJournal, signerKey } from './prepare.ts';
import { type BreakGlassRecord, checkRecords } from './record.ts';

/** What became of one record. */
export interface Imported {
  readonly seq: number;
  readonly outcome: 'revoked' | 'already known' | 'no key has it';
  readonly keyId: string;
  readonly operationId: string;
}

const recordKey = (hash: string): ItemKey => ({ pk: breakGlassJournal, sk: `RECORD#${hash}` });

/**
 * Takes over what was ended while Rekey could not be asked. Afterwards each credential that a key has is being revoked under a new fence, so
 * that nothing that was under way goes on with it, and is proven dead like any other; one that no key has is on record. The records are
 * what a registered signer signed, in an unbroken chain; the same record again changes nothing. A record that says `failed` is carried
 * out now. Throws Refused E_NOT_FOUND (unknown signer), E_INPUT_INVALID (a record that does not hold); nothing was imported then.
 */
export async function importBreakGlass(
  ports: Ports,
  request: { readonly signer: string; readonly records: readonly BreakGlassRecord[] },
  actor: string,
): Promise<{ readonly imported: readonly Imported[] }> {
  const signer = await ports.inventory.get(signerKey(request.signer));
  if (!signer) throw new Refused('E_NOT_FOUND', 'nobody prepared break-glass with this key here: rekey break-glass prepare registers it');
  checkRecords(request.records, String(signer['publicKey']));
  const imported: Imported[] = [];
  for (const record of request.records) imported.push(await one(ports, record, request.signer, actor));
  return { imported };
}

async function one(ports: Ports, record: BreakGlassRecord, signer: string, actor: string): Promise<Imported> {
  const { seq, hash, provider, credentialId, at, by, reason, answer } = record;
  const match = await findCredential(ports, provider, credentialId);
  const operationId = match ? await fence(ports, match.keyId, match.version, record, actor) : '';
  const outcome = match ? 'revoked' : 'no key has it';
  const keyId = match?.keyId ?? '';
  const detail = { seq, signer, by, at, reason, provider, credential: credentialId, answer, key: keyId, operation: operationId };
  try {
    // Last, so that a record whose revocation was not begun is begun by the next import.
    await writeJournal(
      ports,
      breakGlassJournal,
      [{ actor, event: 'break-glass.imported', detail }],
      [{ do: 'put', item: { ...recordKey(hash), ...record }, when: [{ item: 'absent' }] }],
    );
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error;
    return { seq, outcome: 'already known', keyId, operationId };
  }
  return { seq, outcome, keyId, operationId };
}

async function fence(ports: Ports, keyId: string, version: number, record: BreakGlassRecord, actor: string): Promise<string> {
  const { hash, at, by, reason } = record;
  const because = `break-glass by ${by}: ${reason}`.slice(0, 500);
  const order = {
    keyId,
    scope: [version],
    reason: because,
    source: 'unknown',
    requestId: `glass-${hash.slice(0, 40)}`,
    reportedAt: at,
  } as const;
  return (await revoke(ports, order, actor)).operationId;
}
