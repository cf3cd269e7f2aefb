import { stringify } from 'yaml';
import type { VendorName } from './vendor.ts';

/** What a journey decides about its key; the rest is the same for all. */
export interface KeyWish {
  readonly id: string;
  /** high: production, and rotated within minutes; medium and low never come due by themselves while the tests run. */
  readonly tier: 'high' | 'medium' | 'low';
  readonly provider: VendorName | 'aws-iam';
  readonly params: Readonly<Record<string, unknown>>;
  /** Name of the secret it is delivered to, which exists already. */
  readonly secret: string;
  /** Name of the service that uses it; none: nobody is known to. */
  readonly service?: string;
  /** ISO 8601. */
  readonly overlap?: string;
  /** The instant at which the vendor ends it. One that is near makes an adopted key due at once. */
  readonly expires?: string;
}

/** The key document as a platform engineer writes it. */
export function keyFile({ id, tier, provider, params, secret, service, overlap, expires = 'never' }: KeyWish): string {
  return stringify({
    apiVersion: 'rekey/v1',
    kind: 'Key',
    id,
    owner: 'team-journeys',
    environment: tier === 'high' ? 'production' : 'staging',
    exposure: tier === 'low' ? 'isolated' : 'internal',
    purpose: 'a journey through the deployed product',
    provider,
    params,
    store: 'rekey',
    exclusive: true,
    destinations: [{ id: 'app', kind: 'secrets-manager', at: secret }],
    consumers: service === undefined ? [] : [{ name: service, owner: 'team-journeys', contact: 'journeys@example.com', refresh: 'PT2S' }],
    expires,
    ...(overlap === undefined ? {} : { overlap }),
  });
}
