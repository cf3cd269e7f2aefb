import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { CreateSecretCommand, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { bundledSpecs } from '../../adapters/providers/load-spec.ts';
import { secretNames } from '../../functions/secret-names.ts';
import { startVendor, type Vendor, type VendorOptions } from '../../local/sandbox/vendor.ts';
import { makeCertificate } from '../support/certificate.ts';

/** The sandbox vendor, asked over HTTPS as its customers ask it. */
export interface AskedVendor extends Vendor {
  /** Asks as anybody may who holds a value: `/v1/work`, `/v1/principals/…`. Returns the status. */
  ask(method: 'GET' | 'POST', path: string, value: string): Promise<number>;
}

/**
 * The sandbox vendor as a vendor inside the network of a deployed stage: over HTTPS, at an address that the installation lists, and under two names: the schedule leaves
 * a provider alone while a revocation is at work there. */
export interface StageVendor {
  readonly vendor: AskedVendor;
  /** For `privateHosts` of settings.yaml. */
  readonly privateHosts: readonly string[];
  /** The other files that the installation's folder needs, by their path in it. */
  readonly files: Readonly<Record<string, string>>;
  /** Puts its admin credential where the functions of a stage look for it. */
  admit(stage: { readonly stage: string; readonly secretPrefix: string; readonly secretsManager: SecretsManagerClient }): Promise<void>;
}

/** Under which names keys can be of it: those that are rotated by their schedule, and those that are revoked. */
export type VendorName = (typeof names)[number];
const names = ['sandbox', 'incidents'] as const;

/** Starts it on 127.0.0.1, on a free port and with a certificate of its own where the options do not say otherwise. */
export async function startStageVendor(options: VendorOptions = {}): Promise<StageVendor> {
  const certificate = options.tls ?? makeCertificate('IP:127.0.0.1');
  const vendor = await startVendor({ ...options, tls: certificate });
  return {
    vendor: { ...vendor, ask: (method, path, value) => ask(`${vendor.url}${path}`, method, value, certificate.cert) },
    privateHosts: [`127.0.0.1:${vendor.port}`],
    files: {
      'authorities.pem': certificate.cert,
      ...Object.fromEntries(names.map((name) => [`providers/${name}.yaml`, specAt(vendor.url, name)])),
    },
    async admit({ stage, secretPrefix, secretsManager }) {
      const KmsKeyId = secretNames.encryptionAlias(stage);
      const SecretString = JSON.stringify({ apiKey: vendor.adminKey.reveal() });
      for (const name of names) {
        const Name = secretNames.admin(secretPrefix, name, 'default');
        await secretsManager.send(new CreateSecretCommand({ Name, KmsKeyId, SecretString }));
      }
    },
  };
}

function ask(url: string, method: string, value: string, ca: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { method, ca, agent: false, headers: { authorization: `Bearer ${value}` } }, (response) => {
      response.resume();
      response.on('error', reject).on('end', () => resolve(response.statusCode ?? 0));
    });
    asked.on('error', reject).end();
  });
}

/** The shipped spec, for another address. It is no longer for a laptop only: HTTPS and the list decide now. */
function specAt(url: string, name: VendorName): string {
  const shipped = readFileSync(join(bundledSpecs, 'sandbox.yaml'), 'utf8');
  const spec = shipped
    .replace(/^ *localOnly: true\n/m, '')
    .replace(/default: '[^']*'/, `default: '${url}'`)
    .replace('id: sandbox', `id: ${name}`);
  if (!spec.includes(url) || !spec.includes(`id: ${name}`) || spec.includes('localOnly'))
    throw new Error('the shipped sandbox spec is not the one that this knows');
  return spec;
}
