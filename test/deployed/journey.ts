import type { Capability } from './capabilities.ts';
import type { Cloud } from './cloud.ts';

/** What a journey tells while it runs. */
export interface Tell {
  /** Something that was seen; shown at once, and in the table at the end. */
  (observed: string): void;
  /** A part of the journey that this endpoint cannot show, and why. It is never counted as passed. */
  notRun(part: string, why: string): void;
}

/** One way through the deployed product, through its public doors only. */
export interface Journey {
  readonly letter: string;
  readonly title: string;
  /** Without one of these it is not run. */
  readonly needs: readonly Capability[];
  /** The letters of others that have ended before it begins: not everything has to be done at the same time. */
  readonly after?: string;
  /** It ends the stack, so it is not run where the stack is to be kept. */
  readonly destroys?: boolean;
  /**
   * Returns when everything was seen; throws an Error that says what was not. `others` resolves when every other journey has ended.
   * `lacks` says why the endpoint cannot offer a capability that only a part needs.
   */
  run(cloud: Cloud, tell: Tell, others: Promise<unknown>, lacks: (capability: Capability) => string | undefined): Promise<void>;
}

export interface NotRun {
  /** The letter of a journey, or the letter and a part of it: `a: proof of death`. */
  readonly what: string;
  readonly why: string;
  /** The capability that a whole journey lacks: where that may be missing, so may the journey. */
  readonly lacks?: string;
}

export interface Outcome {
  readonly journey: Pick<Journey, 'letter' | 'title'>;
  readonly result: 'passed' | 'failed' | 'not run';
  readonly seconds: number;
  readonly observed: readonly string[];
  readonly notRun: readonly NotRun[];
}

/** Runs one journey to its end, whatever the end is. */
export async function runJourney(
  journey: Journey,
  cloud: Cloud,
  missing: readonly NotRun[],
  say: (letter: string, text: string) => void,
  others: Promise<unknown>,
): Promise<Outcome> {
  const { letter } = journey;
  const started = Date.now();
  const observed: string[] = [];
  const notRun: NotRun[] = [];
  const ended = (result: Outcome['result'], last?: string): Outcome => {
    if (last !== undefined) observed.push(last);
    say(letter, `${result}${last === undefined ? '' : `: ${last}`}`);
    return { journey, result, seconds: (Date.now() - started) / 1000, observed, notRun };
  };
  const lack = missing.find(({ what }) => journey.needs.some((capability) => capability === what));
  if (lack) {
    const why = `${lack.what}: ${lack.why}`;
    notRun.push({ what: letter, why, lacks: lack.what });
    return ended('not run', why);
  }
  const tell = (text: string) => {
    observed.push(text);
    say(letter, text);
  };
  tell.notRun = (part: string, why: string) => {
    notRun.push({ what: `${letter}: ${part}`, why });
    tell(`not run: ${part} (${why})`);
  };
  try {
    await journey.run(cloud, tell, others, (capability) => missing.find(({ what }) => what === capability)?.why);
    return ended('passed');
  } catch (error) {
    return ended('failed', (error as Error).message);
  }
}
