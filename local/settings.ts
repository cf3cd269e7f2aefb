import { productionSettings, type Settings } from '../core/settings.ts';

/** The durations of the laptop, in seconds: the same inequalities as in the cloud (core/settings.ts), with a provider a millisecond away. */
export const localSettings: Settings = {
  ...productionSettings,
  stage: 'local',
  callSeconds: 1.9,
  functionSeconds: 11,
  marginSeconds: 1,
  settleSeconds: 1,
  skewSeconds: 1,
  orphanSeconds: 20,
  stuckSeconds: 30,
  reconcileSeconds: 2,
  idleCheckSeconds: 10,
  sweepSeconds: { high: 5, medium: 10, low: 15 },
  sealSeconds: 60,
};

/** How the sandbox vendor is treated here instead of what its spec says: it is on this machine, so it need not be waited for. */
export const sandboxDurations = { activateSeconds: 5, revokeSeconds: 5, everySeconds: 1 };

/** Where the sandbox's spec says that it listens. */
export const sandboxOrigin = 'http://127.0.0.1:4010';
