import type { Mutant } from './mutant.ts';

/** More mechanisms, each taken out of the code: those that the model is too small to have. */
export const own: readonly Mutant[] = [
  {
    name: 'unconditional fence of a revocation',
    shows: ['INV-15'],
    removes: 'the rule that a revocation asks for nothing but the key: a hold stops it',
    edits: [
      {
        file: 'core/revoke/begin.ts',
        find: "change, [{ item: 'exists' }], 'toward dead')",
        put: "change, [{ item: 'exists' }, { path: 'hold.until', is: 'missing' }], 'toward dead')",
      },
    ],
  },
  {
    name: 'first disable within the request',
    shows: ['INV-15'],
    removes: 'the disable that a revocation makes before anything else may fail',
    edits: [
      {
        file: 'core/revoke/begin.ts',
        find: 'const versions = await firstDisables(ports, key, recorded ?? input.scope);',
        put: 'const versions = await firstDisables(ports, key, recorded ?? []);',
      },
    ],
  },
  {
    name: 'second revocation goes back to Disable',
    shows: ['INV-18', 'K10'],
    removes: 'the return to Disable when a second revocation joins an open one',
    edits: [
      { file: 'core/revoke/begin.ts', find: "'revocation.step': 'disable', ", put: '' },
      {
        file: 'core/revoke/begin.ts',
        find: "setIfMissing: { 'revocation.id'",
        put: "setIfMissing: { 'revocation.step': 'disable', 'revocation.id'",
      },
    ],
  },
  {
    name: 'scope of a report',
    shows: ['INV-16'],
    removes: 'the scope: a report about one version ends all of them',
    edits: [{ file: 'core/revoke/disable.ts', find: 'inScope(all, unseen).map', put: "inScope(all, unseen.length ? ['all'] : []).map" }],
  },
  {
    name: 'fence of a report about a dead version',
    removes: 'the fence under which a dead version is marked as compromised',
    edits: [{ file: 'core/revoke/dead-already.ts', find: '      fence: fresh.fence + 1,\n', put: '' }],
  },
  {
    name: 'held reissue',
    shows: ['K11'],
    removes: 'the hold of a reissue after a leak at a destination or at an unknown place',
    edits: [
      { file: 'core/revoke/attribute.ts', find: 'const next: Next = served || !isHeld(key) ?', put: 'const next: Next = served || key ?' },
    ],
  },
  {
    name: 'stripping of labels',
    shows: ['INV-22'],
    removes: 'the stripping of labels from compromised versions at the close',
    edits: [{ file: 'core/revoke/close.ts', find: '  await stripCompromised(attempt);\n', put: '' }],
  },
  {
    name: 'intent before effect',
    shows: ['INV-23'],
    removes: 'the record of an effect before it is made',
    edits: [
      {
        file: 'core/effect.ts',
        find: "    writes: [putItem(item('intended')), ...(spec.intent?.writes ?? [])],\n    events: [{ event: 'effect.intended', detail }],",
        put: '    writes: [...(spec.intent?.writes ?? [])],\n    events: [],',
      },
    ],
  },
  {
    name: 'audit in the same transaction',
    shows: ['INV-23'],
    removes: 'the entries of the audit chain in the transaction that they are about',
    edits: [{ file: 'core/commit.ts', find: '      ...filings(keyId, entries),\n', put: '' }],
  },
  {
    name: 'notices in the same transaction',
    shows: ['INV-25'],
    removes: 'the notices in the transaction that they are about: they are only sent',
    edits: [{ file: 'core/commit.ts', find: '      ...(change.notices ?? []).map((notice) => putItem(outboxItem(notice))),\n', put: '' }],
  },
  {
    name: 'notices sent again',
    shows: ['INV-25'],
    removes: 'the second sending of notices that were committed and not sent',
    edits: [
      {
        file: 'core/reconcile/reconcile.ts',
        find: 'const failed = unsent.length ? await publishPending(ports, keyId) : 0;',
        put: 'const failed = unsent.length - unsent.length;',
      },
      {
        file: 'core/revoke/notify.ts',
        find: 'const failed = await publishPending(ports, payload.keyId);',
        put: 'const failed = 0;',
      },
    ],
  },
  {
    name: 'proof of possession',
    shows: ['INV-12', 'INV-10', 'INV-8'],
    removes: 'the comparison of a proof with the value it must be made with',
    edits: [{ file: 'core/adoption.ts', find: 'if (!value || !isProof(', put: 'if (!value && !isProof(' }],
  },
  {
    name: 'reading back',
    shows: ['INV-13', 'INV-14'],
    removes: 'the reading back of what was written to a destination',
    edits: [{ file: 'core/delivery.ts', find: 'if (!held?.equals(value))', put: 'if (!held && !value)' }],
  },
  {
    name: 'attribution',
    shows: ['INV-11'],
    removes: 'the difference between our credentials and those of strangers',
    edits: [{ file: 'core/attribution.ts', find: "return key.facts.exclusive ? 'ours' : 'stranger';", put: "return 'ours';" }],
  },
  {
    name: 'starting again what is stuck',
    shows: ['INV-18'],
    removes: 'the new execution for an operation whose execution ended',
    edits: [
      {
        file: 'core/reconcile/stuck.ts',
        find: '  if (!operation) return null;\n  const keyId',
        put: '  if (operation) return null;\n  const keyId',
      },
    ],
  },
  {
    name: 'wait for repairs',
    removes: 'the wait of an operation for repairs that may still write',
    edits: [
      { file: 'core/rotate/begin.ts', find: 'const last = [key.lastEndedAt, key.repairingAt]', put: 'const last = [key.lastEndedAt]' },
    ],
  },
  {
    name: 'repair of what was enabled again',
    shows: ['INV-2', 'INV-6'],
    removes: 'the disabling of a dead version that somebody else enabled',
    edits: [{ file: 'core/reconcile/idle.ts', find: '= [enabledAgain, ended,', put: '= [ended,' }],
  },
  {
    name: 'repair of orphans',
    shows: ['INV-7'],
    removes: 'the disabling of credentials without a record while a key is idle',
    edits: [{ file: 'core/reconcile/idle.ts', find: '[...always, orphans, drifted]', put: '[...always, drifted]' }],
  },
  {
    name: 'repair of AWSCURRENT',
    shows: ['INV-22'],
    removes: 'the return of AWSCURRENT to the version in use',
    edits: [{ file: 'core/reconcile/idle.ts', find: '    ...movedBack(ports, key, versions, current),\n', put: '' }],
  },
  {
    name: 'repair of destinations',
    shows: ['INV-13'],
    removes: 'the second delivery to a destination that somebody else overwrote',
    edits: [{ file: 'core/reconcile/idle.ts', find: '[...always, orphans, drifted]', put: '[...always, orphans]' }],
  },
  {
    name: 'rights of a step',
    shows: ['INV-21'],
    removes: 'a right that Issue’s row of the step table grants it',
    edits: [{ file: 'workflows/steps.ts', find: "    'provider.create',\n    'provider.delete',", put: "    'provider.delete'," }],
  },
  {
    name: 'delivery to every destination again',
    removes: 'the delivery of the version in use to every destination after a revocation that left it alone',
    edits: [
      { file: 'core/delivery.ts', find: "return item?.['operationId'] === attempt.operation.id;", put: 'return item !== undefined;' },
    ],
  },
  {
    name: 'values that were given up',
    removes: 'the knowledge of the values that an operation minted and gave up, when a label was moved to one of them',
    edits: [{ file: 'core/delivery.ts', find: ' && !mints.includes(holder))', put: ' && mints)' }],
  },
  {
    name: 'destinations during a rollback',
    shows: ['INV-18'],
    removes: 'the second look at the destinations of those who are not back',
    edits: [
      {
        file: 'core/rotate/roll-back.ts',
        find: "  await deliver(attempt, old, await storedValue(attempt, old), 'what is there');\n",
        put: '',
      },
    ],
  },
];
