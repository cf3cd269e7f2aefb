import { StoreConflict } from '../../core/errors.ts';
import type { SecretStore } from '../../core/ports.ts';
import type { Value } from '../../core/value.ts';

interface Secret {
  readonly versions: Map<string, Value>;
  /** Label to token: a label names one version. */
  readonly labels: Map<string, string>;
}

/** A secret store in memory with what its console would show; for the simulation and for tests. */
export interface MemorySecretStore extends SecretStore {
  /** Which version each label names, at this very moment. */
  shown(keyId: string): Readonly<Record<string, string>>;
}

/** The secret store in memory, with the label rules of AWS Secrets Manager. Holds everything until the process ends. */
export function memorySecretStore(): MemorySecretStore {
  const secrets = new Map<string, Secret>();
  const shown = (keyId: string) => Object.fromEntries(secrets.get(keyId)?.labels ?? []);
  return {
    shown,

    async put(keyId, token, value) {
      const secret = secrets.get(keyId) ?? { versions: new Map(), labels: new Map() };
      secrets.set(keyId, secret);
      const stored = secret.versions.get(token);
      if (stored) {
        if (!stored.equals(value)) throw new StoreConflict(`version ${token} of ${keyId} already holds another value`);
        return;
      }
      secret.versions.set(token, value);
      secret.labels.set('AWSPENDING', token);
    },

    async read(keyId, token) {
      return secrets.get(keyId)?.versions.get(token);
    },

    async labels(keyId) {
      return shown(keyId);
    },

    async promote(keyId, to, from) {
      const secret = secrets.get(keyId);
      if (!secret?.versions.has(to)) throw new StoreConflict(`${keyId} has no version ${to}`);
      const current = secret.labels.get('AWSCURRENT') ?? null;
      if (current === to) return;
      if (current !== from) throw new StoreConflict(`AWSCURRENT of ${keyId} is on ${current ?? 'no version'}, not on ${from ?? 'none'}`);
      secret.labels.set('AWSCURRENT', to);
      if (from !== null) secret.labels.set('AWSPREVIOUS', from);
    },

    async strip(keyId, token) {
      for (const [label, on] of secrets.get(keyId)?.labels ?? []) {
        if (on === token && label !== 'AWSCURRENT') secrets.get(keyId)?.labels.delete(label);
      }
    },
  };
}
