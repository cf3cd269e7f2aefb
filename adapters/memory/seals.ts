import { generateKeyPairSync, sign } from 'node:crypto';
import { StoreConflict } from '../../core/errors.ts';
import type { Seals } from '../../core/ports.ts';
import { signerOf } from '../../core/seal/verify-seals.ts';

/** Seals in memory, under a signing key of their own. `kept` is what whoever holds the store could change. */
export function memorySeals(): Seals & { readonly kept: Map<number, string> } {
  const kept = new Map<number, string>();
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  return {
    kept,
    sign: async (hash) => ({
      signer: signerOf(pem),
      algorithm: 'Ed25519',
      signature: sign(null, Buffer.from(hash), privateKey).toString('base64'),
    }),
    publicKey: async () => pem,
    async keep(number, text) {
      const known = kept.get(number);
      if (known !== undefined && known !== text) throw new StoreConflict(`there is another seal ${number}`);
      kept.set(number, text);
    },
    read: async (number) => kept.get(number),
    last: async () => Math.max(0, ...kept.keys()),
  };
}
