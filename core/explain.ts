import { whoCan } from './authority.ts';
import { dueVerdict } from './due.ts';
import { getKey } from './items.ts';
import type { Key } from './key.ts';
import { overlapOf } from './overlap.ts';
import type { Ports } from './ports.ts';
import { tierOf } from './tier.ts';
import { instant } from './time.ts';

export interface Answer {
  readonly id: string;
  readonly question: string;
  readonly answer: readonly string[];
  /** What the key's record lacks for a whole answer; empty when nothing does. */
  readonly missing: readonly string[];
}

export interface Explanation {
  readonly keyId: string;
  /** True when every question has its whole answer. */
  readonly complete: boolean;
  readonly answers: readonly Answer[];
}

interface Question {
  readonly id: string;
  readonly question: string;
  readonly answer: (key: Key, ports: Ports) => string[];
  readonly missing: (key: Key) => (string | false)[];
}

/** The six questions of the policy, and the seventh: that they are answered at once. */
const questions: readonly Question[] = [
  {
    id: 'POL-Q1',
    question: 'Who can create, approve, and revoke it?',
    answer: ({ tier, facts }, { policy }) =>
      (['create', 'approve', 'revoke'] as const).map(
        (action) =>
          `${action}: ${whoCan(policy.authority, action, tier)
            .map(({ role, needs }) => `${role}${role === 'owner' ? ` ${facts.owner}` : ''} (needs ${needs})`)
            .join('; ')}`,
      ),
    missing: ({ facts }) => [!facts.owner && 'an owner'],
  },
  {
    id: 'POL-Q2',
    question: 'Which systems may use it, and for what purpose?',
    answer: ({ facts }) => [
      `purpose: ${facts.purpose}`,
      ...facts.consumers.map(({ name, owner, contact }) => `${name}, owned by ${owner}, reached at ${contact}`),
    ],
    missing: ({ facts }) => [!facts.purpose && 'a purpose', facts.consumers.length === 0 && 'consumers: nobody is registered as using it'],
  },
  {
    id: 'POL-Q3',
    question: 'How is it stored, distributed, and monitored?',
    answer: ({ facts }) => [
      `stored in ${facts.store}`,
      ...facts.destinations.map(({ id, kind, at }) => `delivered to ${id} (${kind} ${at})`),
      ...facts.monitors.map((monitor) => `monitored by ${monitor}`),
    ],
    missing: ({ facts }) => [facts.destinations.length === 0 && 'destinations', facts.monitors.length === 0 && 'monitors'],
  },
  {
    id: 'POL-Q4',
    question: 'When must it be rotated?',
    answer: (key, ports) => {
      const t = ports.policy.tiers[key.tier];
      const overlap = overlapOf(key.facts, t, ports.provider(key.facts.provider).traits.activateSeconds);
      return [
        `tier ${key.tier}, because ${tierOf(key.facts, ports.policy).because}: at least every ${t.rotateEverySeconds / 86_400} days`,
        dueVerdict(key, instant(ports.clock.now()), ports.policy).message,
        `overlap ${overlap.minSeconds} s: ${overlap.because}`,
      ];
    },
    missing: (key) => [key.nextDueAt === null && 'a due date: it has no version yet'],
  },
  {
    id: 'POL-Q5',
    question: 'How is emergency revocation handled?',
    answer: ({ facts }) => [
      `rekey revoke ${facts.id} --reason …: disabled at once, then told, then proven dead`,
      `reissue is ${facts.incident.reissue}; held in any case when the leak's source is a destination or unknown`,
      ...facts.incident.contacts.map((contact) => `contact: ${contact}`),
    ],
    missing: ({ facts }) => [facts.incident.contacts.length === 0 && 'incident contacts'],
  },
  {
    id: 'POL-Q6',
    question: 'How are exceptions documented and reviewed?',
    answer: ({ hold, facts }) => [
      hold
        ? `hold until ${hold.until} by ${hold.by}: ${hold.reason}`
        : 'no exception; a hold needs a reason and ends by itself within the policy’s limit',
      ...(facts.mode === 'observe' ? ['observed only, until its owner lets it go live'] : []),
    ],
    missing: () => [],
  },
];

/** The answers to the six questions of the policy for one key, or what is missing for them (POL-Q1 to Q7). Throws Refused E_NOT_FOUND. */
export async function explainKey(ports: Ports, keyId: string): Promise<Explanation> {
  const key = await getKey(ports, keyId);
  const answers = questions.map(
    ({ id, question, answer, missing }): Answer => ({
      id,
      question,
      answer: answer(key, ports),
      missing: missing(key).filter((gap): gap is string => gap !== false),
    }),
  );
  const gaps = answers.flatMap(({ id, missing }) => missing.map((gap) => `${id}: ${gap}`));
  const quick: Answer = {
    id: 'POL-Q7',
    question: 'Can these be answered quickly?',
    answer: [gaps.length ? 'not all of them' : 'yes: all of them, here'],
    missing: gaps,
  };
  return { keyId, complete: gaps.length === 0, answers: [...answers, quick] };
}
