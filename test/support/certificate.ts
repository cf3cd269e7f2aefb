import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** PEM of a private key and of its certificate, which is its own authority. */
export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/** Makes a certificate for names like `IP:127.0.0.1` or `DNS:gitlab.internal`, good for two days. Throws when there is no openssl. */
export function makeCertificate(...names: readonly string[]): Certificate {
  return made(['ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'], names);
}

/** The same with an RSA key, as those that sign messages have one. */
export function makeRsaCertificate(...names: readonly string[]): Certificate {
  return made(['rsa:2048'], names);
}

function made(newKey: readonly string[], names: readonly string[]): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'rekey-certificate-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  try {
    const run = spawnSync(
      'openssl',
      [
        ...['req', '-x509', '-newkey', ...newKey, '-nodes', '-days', '2', '-subj', '/CN=rekey test'],
        ...['-addext', `subjectAltName=${names.join(',')}`, '-keyout', key, '-out', cert],
      ],
      { encoding: 'utf8' },
    );
    if (run.error) throw new Error('these tests make their own certificate with the command openssl, which is not installed');
    if (run.status !== 0) throw new Error(`openssl made no certificate: ${run.stderr.slice(-300)}`);
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
