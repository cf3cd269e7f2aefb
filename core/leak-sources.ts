/** Where a leak was found, as a caller may say it. `destination` and `unknown` hold the reissue back. */
export const leakSources = ['repository', 'log', 'ticket', 'chat', 'vendor', 'destination', 'unknown', 'none'] as const;
export type LeakSource = (typeof leakSources)[number];
