import type { Mutant } from './mutant.ts';

/** The mechanisms that the model of the protocol shows to carry weight, each taken out of the code. */
export const mechanisms: readonly Mutant[] = [
  {
    name: 'fence',
    shows: ['INV-4'],
    removes: 'the fence that every record of an attempt is written under',
    edits: [
      {
        file: 'core/commit.ts',
        find: "...(change.fence === undefined ? [] : [{ path: 'fence', is: '=', value: change.fence } as const]),",
        put: '',
      },
    ],
  },
  {
    name: 'quiesce and sweep in a revocation',
    shows: ['INV-14'],
    removes: 'the wait for late attempts before a reissue, and the disabling of what they left',
    edits: [
      {
        file: 'core/revoke/validate.ts',
        find: 'return { quiesceSeconds: Math.max(...writers.map((acquiredAt) => quiesceSeconds(ports, acquiredAt))) };',
        put: 'return { quiesceSeconds: 0 * writers.length * quiesceSeconds(ports, null) };',
      },
      { file: 'core/revoke/attribute.ts', find: 'const strangers = await disableOrphans(attempt);', put: 'const strangers = 0;' },
    ],
  },
  {
    name: 'quiesce before a rollback',
    shows: ['INV-12', 'INV-13'],
    removes: 'the wait for late attempts between Abort and RollBack',
    edits: [{ file: 'workflows/rotate.asl.json', find: '"SecondsPath": "$.abort.quiesceSeconds",', put: '"Seconds": 0,' }],
  },
  {
    name: 'quiesce before the next operation',
    removes: 'the refusal to begin a rotation while an attempt of the last operation may still write',
    edits: [{ file: 'core/rotate/begin.ts', find: 'if (quietFrom && quietFrom > now)', put: 'if (quietFrom && quietFrom < "")' }],
  },
  {
    name: 'confirm back',
    shows: ['INV-12'],
    removes: 'the proof in a rollback that every consumer is back',
    edits: [{ file: 'core/rotate/roll-back.ts', find: '    await requireConsumersBack(attempt, old, since);\n', put: '' }],
  },
  {
    name: 'adoption',
    shows: ['INV-8', 'INV-12'],
    removes: 'the proof that every consumer has moved',
    edits: [{ file: 'core/rotate/confirm.ts', find: 'if (evidence.missing.length === 0) {', put: 'if (evidence) {' }],
  },
  {
    name: 'adoption by consumers',
    shows: ['INV-8', 'INV-12'],
    removes: 'the consumers in that proof: what the destinations hold is enough',
    edits: [
      {
        file: 'core/evidence.ts',
        find: 'const adoption = item as unknown as Adoption | undefined;\n',
        put: "const { isDelivered } = await import('./delivery.ts');\n  const held = await isDelivered(ports, key, version);\n  const adoption = (held ? { kind: 'possession', at: since } : item) as unknown as Adoption | undefined;\n",
      },
    ],
  },
  {
    name: 'point of no return',
    shows: ['INV-9'],
    removes: 'the refusal to roll back once the old version may be disabled',
    edits: [{ file: 'core/rotate/abort.ts', find: "        { path: 'rotation.ponr', is: '=', value: false },\n", put: '' }],
  },
  {
    name: 'never enable',
    shows: ['INV-2', 'INV-3'],
    removes: 'the rule that nothing enables: a rollback brings the old version back in the vendor’s console',
    edits: [
      {
        file: 'core/delivery.ts',
        find: '() => writeAndReadBack(ports, spec, value, uuidOf(attempt.operation.id, spec.id, version.number)),',
        put: "async () => {\n        await writeAndReadBack(ports, spec, value, uuidOf(attempt.operation.id, spec.id, version.number));\n        if (attempt.step === 'rollback') (ports.provider(key.facts.provider) as any).enableInConsole(version.credentialId);\n      },",
      },
      // The simulation refuses a verb that it does not know, and would say so.
      {
        file: 'test/simulation/watch.ts',
        find: 'const harmless = new Set([',
        put: "const harmless = new Set(['provider.enableInConsole',",
      },
    ],
  },
  {
    name: 'probe before the acknowledgement',
    shows: ['INV-2', 'INV-6'],
    removes: 'the probes: a version counts as dead as soon as the provider was told',
    edits: [
      {
        file: 'core/revoke/validate.ts',
        find: 'const dead = await proveDead(attempt, version);',
        put: "const dead = { version: { ...version, state: 'disabled', disabledAt: instant(ports.clock.now()) } as Version, proof: 'told', certificate: putItem({ pk: 'TOLD#' + keyId, sk: String(version.number) }) };",
      },
    ],
  },
  {
    name: 'record after effect',
    shows: ['INV-6'],
    removes: 'the order of a disable: the inventory says dead with the intent',
    edits: [
      {
        file: 'core/ending.ts',
        find: "{ ...unprobed(version), ending, state: moveVersion(version.state, 'disabling') };",
        put: "{ ...unprobed(version), ending, state: moveVersion(version.state, 'disabling') && 'disabled' };",
      },
    ],
  },
  {
    name: 'preflight',
    shows: ['INV-12', 'INV-13'],
    removes: 'the probe before a new version is delivered',
    edits: [
      {
        file: 'core/rotate/issue.ts',
        find: 'await preflight(attempt, minted.version, minted.value);',
        put: "await advance(attempt, [putItem(versionItem(attempt.keyId, { ...minted.version, state: 'issued' }))]);",
      },
    ],
  },
  {
    name: 'reconciler',
    shows: ['INV-7', 'INV-18'],
    removes: 'the reconciler',
    edits: [
      {
        file: 'core/reconcile/reconcile.ts',
        find: '  const keys: Key[] = [];\n',
        put: '  const keys: Key[] = [];\n  if (keys) return { looked: 0, repaired, failed };\n',
      },
    ],
  },
  {
    name: 'deletion of orphans',
    shows: ['INV-18'],
    removes: 'the deletion of what a lost create left behind, before the next one',
    edits: [{ file: 'core/rotate/issue.ts', find: '  await removeOrphans(attempt, listed, created);\n', put: '' }],
  },
  {
    name: 'freeing a slot',
    shows: ['INV-18'],
    removes: 'the deletion of a dead version when the provider has no slot left',
    edits: [{ file: 'core/rotate/issue.ts', find: '  await freeSlot(attempt, listed);\n', put: '' }],
  },
  {
    name: 'disable before reissue',
    shows: ['INV-18'],
    removes: 'the order of a revocation: what leaked is disabled only when the new version is there',
    edits: [
      {
        file: 'workflows/revoke.asl.json',
        find: '"Next": "Disable"\n        }\n      ],\n      "Default": "Accept"',
        put: '"Next": "Attribute"\n        }\n      ],\n      "Default": "Accept"',
      },
    ],
  },
  {
    name: 'pinned versions',
    shows: ['INV-12'],
    removes: 'the pin of the old version: a step that runs again takes the one in use for the old one',
    edits: [
      {
        file: 'core/operation.ts',
        find: 'const { id, startSeq, step, oldVersion, newVersion, mint } = key.rotation;',
        put: 'const { id, startSeq, step, newVersion, mint } = key.rotation;\n    const oldVersion = key.current ?? 0;',
      },
    ],
  },
  {
    name: 'bound on late workers',
    shows: ['INV-12', 'INV-13', 'INV-14'],
    removes: 'the bound: every wait for late attempts is over before they are',
    edits: [
      {
        file: 'core/settings.ts',
        find: 'return settings.functionSeconds + settings.settleSeconds + settings.skewSeconds;',
        put: 'return settings.skewSeconds;',
      },
    ],
  },
];

/** The mechanisms without which the model breaks nothing, and why: listed, and not killed. */
export const explained: readonly { readonly name: string; readonly removes: string; readonly because: string }[] = [
  {
    name: 'compare and swap',
    removes: 'the swap of AWSCURRENT only from the version that is believed to have it',
    because:
      'while the bound on late workers holds, no late move of the label is left after a quiesce; without the bound it is what keeps the label right.',
  },
  {
    name: 'create once',
    removes: 'the rule that a create is never repeated by a client library',
    because:
      'one live key and a limit of two leave room for one create: a repeated one is refused, and the first is an orphan as before. A provider without a limit would get one more orphan for the reconciler.',
  },
  {
    name: 'fence of a rollback',
    removes: 'the fence of its own that a rollback raises',
    because: 'the quiesce before a rollback outlives every older attempt, and a record needs its own step to be the open one.',
  },
];
