import type { Edit } from './mutant.ts';

/**
 * Conditions that a second guard backs: taken out alone they break nothing, and why. With `also` each is taken out together with that guard,
 * and then an invariant or a test is red; without it the guard stands in the very same write.
 */
export const backed: Readonly<Record<string, { readonly because: string; readonly also: readonly Edit[] }>> = {
  'attempt.ts exists': {
    because: 'an item that is not there has no operation, whose id, step and state the same write asks for',
    also: [],
  },
  'commit.ts exists': { because: 'an item that is not there has no place in the audit chain, which the same write asks for', also: [] },
  'escalation.ts partitionKey': { because: 'the end of an escalation moves its revision, which the same write asks for', also: [] },
  'revoke/begin.ts exists': { because: 'keys are never deleted, and the key was read before', also: [] },
  'revoke/dead-already.ts exists': { because: 'versions are never deleted, and these were read before', also: [] },
};
