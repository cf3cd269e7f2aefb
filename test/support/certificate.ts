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
  const folder = mkdtempSync(join(tmpdir(), 'rekey-certificate-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  try {
    const made = spawnSync(
      'openssl',
      [
        ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=rekey test'],
        ...['-addext', `subjectAltName=${names.join(',')}`, '-keyout', key, '-out', cert],
      ],
      { encoding: 'utf8' },
    );
    if (made.error) throw new Error('these tests make their own certificate with the command openssl, which is not installed');
    if (made.status !== 0) throw new Error(`openssl made no certificate: ${made.stderr.slice(-300)}`);
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
