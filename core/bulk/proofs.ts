import { showCertificates } from '../certificate.ts';
import { findKey, operationIdOf, operationKey } from '../items.ts';
import type { Ports } from '../ports.ts';
import { type BulkKey, bulkRequestId, chunkSize, getBulk, keysFrom } from './bulk.ts';

/** What is on record of one key of a bulk revocation. */
export interface BulkProof {
  readonly keyId: string;
  /** The key's state now; `unknown` when nobody has it on record any more. */
  readonly state: string;
  readonly operationId: string;
  /** The versions that were proven dead by it. Empty while none was, or when all were dead before. */
  readonly dead: readonly { readonly version: number; readonly deadAt: string; readonly proof: string }[];
  readonly deadSeconds: number | null;
}

/** The proofs of a bulk revocation from one place in its list on, as many as lie in one chunk; `next` is the place of those behind, or null. */
export async function bulkProofs(
  ports: Ports,
  request: { readonly id: string; readonly from: number },
): Promise<{ readonly proofs: readonly BulkProof[]; readonly next: number | null }> {
  const { id, from } = request;
  const { total } = await getBulk(ports, id);
  const keys = await keysFrom(ports, id, from);
  const proofs: BulkProof[] = [];
  for (const key of keys) proofs.push(await proofOf(ports, id, key));
  const next = (Math.floor(from / chunkSize) + 1) * chunkSize;
  return { proofs, next: next < total ? next : null };
}

async function proofOf(ports: Ports, id: string, { keyId }: BulkKey): Promise<BulkProof> {
  const key = await findKey(ports, keyId);
  if (!key) return { keyId, state: 'unknown', operationId: '', dead: [], deadSeconds: null };
  const requestId = bulkRequestId(id);
  const open = key.revocation?.requests.some((one) => one.requestId === requestId) ? key.revocation.id : undefined;
  const filed = open ? undefined : await ports.inventory.get(operationKey(keyId, operationIdOf('revoke', keyId, requestId)));
  const operationId = open ?? String(filed?.['id'] ?? '');
  const { certificates, stopwatch } = await showCertificates(ports, keyId);
  const mine = certificates.filter((one) => one.operationId === operationId);
  return {
    keyId,
    state: key.state,
    operationId,
    dead: mine.map(({ version, deadAt, proof }) => ({ version, deadAt, proof })),
    deadSeconds: stopwatch.find(({ mark }) => mark === 'dead')?.seconds ?? null,
  };
}
