import { answerFaults } from './answers.ts';
import { callFaults } from './calls.ts';
import type { FaultKind } from './fault.ts';
import { outsideFaults } from './outside.ts';

/** Every way in which the world misbehaves, by name. */
export const faultKinds: readonly FaultKind[] = [...callFaults, ...answerFaults, ...outsideFaults];
