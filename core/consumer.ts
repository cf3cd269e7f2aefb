/** Most consumers of one key. */
export const mostConsumers = 40;

/** How a consumer behaves, which bounds how fast it can move to a new version. */
export type ConsumerClass = 'cached' | 'long-running' | 'batch' | 'restart-only';

/** A service that uses the key, hears our notices and proves that it moved. */
export interface Consumer {
  readonly name: string;
  readonly owner: string;
  readonly contact: string;
  /** The longest it takes until it uses what its destination holds, in seconds. */
  readonly refreshSeconds: number;
  readonly class: ConsumerClass;
  /** How long its roll-out takes until all of it was started again, in seconds; for what reads the value only at its start. */
  readonly deploySeconds?: number;
  /** The proof it can give: it signs with the new value; or, as the key's only user, it is seen to use it; or the old one falls quiet at the provider. */
  readonly proof: 'possession' | 'first-use' | 'quiet';
}
