import { testSettings } from '../support/world.ts';

/** The settings of every history: small, in the proportions of production. */
export const settings = { ...testSettings, settleSeconds: 6, destinationsPerAttempt: 1, orphanSeconds: 30 };
