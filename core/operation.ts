import { uuidOf } from './items.ts';
import type { Key, KeyState, RevokeStep, RotateStep } from './key.ts';
import { revokeSteps, rotateSteps } from './key.ts';

/** What Issue, Distribute and Verify need of the operation they run for, whether a rotation or a revocation's reissue. */
export interface Operation {
  readonly kind: 'rotate' | 'revoke';
  readonly id: string;
  readonly startSeq: number;
  readonly step: RotateStep | RevokeStep;
  /** Pinned. 0: there is no old version. */
  readonly oldVersion: number;
  readonly newVersion: number;
  readonly mint: number;
}

/** The secret store's version that holds what a mint of an operation made; the same mint always names the same one. */
export const tokenOf = ({ id, newVersion }: Operation, mint: number): string => uuidOf(id, newVersion, mint);

/** The map of META that holds the operation's record. */
export const recordPath = (operation: Operation): 'rotation' | 'revocation' => (operation.kind === 'rotate' ? 'rotation' : 'revocation');

/** The key's open operation: a revocation displaces a rotation. */
export function openOperation(key: Key): Operation | null {
  if (key.revocation) {
    const { id, startSeq, step, oldVersion = 0, newVersion = 0, mint = 1 } = key.revocation;
    return { kind: 'revoke', id, startSeq, step, oldVersion, newVersion, mint };
  }
  if (key.rotation) {
    const { id, startSeq, step, oldVersion, newVersion, mint } = key.rotation;
    return { kind: 'rotate', id, startSeq, step, oldVersion, newVersion, mint };
  }
  return null;
}

/** Which state the key must be in while a step of an operation runs. */
export function stateFor(kind: Operation['kind'], step: string): KeyState {
  if (kind === 'rotate') return step === 'rollback' ? 'rolling-back' : 'rotating';
  if (step === 'disable' || step === 'notify' || step === 'validate') return 'revoking';
  return step === 'attribute' ? 'contained' : 'reissuing';
}

/** True when the operation is already past a step, so that running it again has nothing to do. */
export function isPast(kind: Operation['kind'], current: string, step: string): boolean {
  const order: readonly string[] = kind === 'rotate' ? rotateSteps : revokeSteps;
  return order.includes(step) && order.indexOf(current) > order.indexOf(step);
}
