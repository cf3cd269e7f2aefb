import type { LeakSource } from './key.ts';

/** Where a leak was found, as a caller may say it. `destination` and `unknown` hold the reissue back. */
export const leakSources: readonly LeakSource[] = ['repository', 'log', 'ticket', 'chat', 'vendor', 'destination', 'unknown', 'none'];
