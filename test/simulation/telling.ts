import type { History } from './history.ts';
import type { Plan } from './plan.ts';

/** A plan in plain words, one line for each thing in it. */
function planInWords({ keys, requests, faults, start, rotateEverySeconds, atOverlapMax }: Plan): string[] {
  return [
    `It is ${start}; keys rotate every ${rotateEverySeconds} s; at the cap of the overlap: ${atOverlapMax}.`,
    ...keys.map(
      (key, i) =>
        `Key team-${i + 1}/key: ${key.services.length ? `services ${key.services.join(', ')}` : 'no services'}; ${key.destinations} destination(s); ` +
        `${key.exclusive ? 'exclusive' : 'shared'} principal with ${key.slots} slots${key.countsDisabled ? ' that count disabled ones' : ''}, class ${key.class}; ` +
        `risk ${key.risk}; ${key.adopted ? 'adopted' : 'never issued'}; reissue ${key.reissue}; ` +
        `accepted after ${key.activateSeconds} s, refused after ${key.revokeSeconds} s.`,
    ),
    ...requests.map(({ what, atSeconds, key }) => `After ${atSeconds} s somebody asks: ${what} (key ${(key % keys.length) + 1}).`),
    ...faults.map(
      ({ kind, atSeconds, lastsSeconds, skip }) => `After ${atSeconds} s: ${kind} (for ${lastsSeconds} s, or once after ${skip} calls).`,
    ),
  ];
}

/** What broke, the shrunk story as a timeline, and how to see it again. */
export function failureInWords(seed: number, { plan, lines, breaches }: History): string {
  return [
    `Seed ${seed} breaks ${breaches.map(({ invariant }) => invariant).join(', ')}:`,
    ...breaches.map(({ invariant, sentence, seen }) => `  ${invariant}: ${sentence}\n    seen: ${seen}`),
    '',
    'The smallest story that still breaks it:',
    ...planInWords(plan).map((line) => `  ${line}`),
    '',
    ...lines.map((line) => `  ${line}`),
    '',
    `Again: npm run simulate -- --seeds 1 --start ${seed}`,
  ].join('\n');
}
