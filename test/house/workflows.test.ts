import { existsSync } from 'node:fs';
// @ts-expect-error the package ships no types
import aslValidator from 'asl-validator';
import { describe, expect, test } from 'vitest';
import { productionSettings } from '../../core/settings.ts';
import { steps } from '../../workflows/steps.ts';
import { readFiles, readText } from './repository.ts';

interface State {
  readonly Type: string;
  readonly Comment?: string;
  readonly TimeoutSeconds?: number;
  readonly Retry?: readonly { readonly ErrorEquals: readonly string[] }[];
  readonly Catch?: readonly { readonly ErrorEquals: readonly string[] }[];
}

interface Definition {
  readonly Comment?: string;
  readonly States: Readonly<Record<string, State>>;
}

type Validate = (definition: unknown) => { readonly isValid: boolean; errorsText(): string };

const files = readFiles('.asl.json');
const workflows = files.map((file) => ({
  name: file.path.replace(/^workflows\/|\.asl\.json$/g, ''),
  text: file.text,
  definition: JSON.parse(file.text) as Definition,
}));

/** What is missing of a Task: what is true after it, how long it may take, which errors it repeats, where it goes on failure. */
function incomplete(definition: Definition): string[] {
  return Object.entries(definition.States).flatMap(([name, state]) => {
    if (!state.Comment) return [`${name}: Comment`];
    if (state.Type !== 'Task') return [];
    const retried = (state.Retry ?? []).flatMap((retry) => retry.ErrorEquals);
    return [
      ...(state.Comment.startsWith('After this: ') ? [] : [`${name}: Comment begins with "After this: "`]),
      ...(state.TimeoutSeconds ? [] : [`${name}: TimeoutSeconds`]),
      ...(retried.length > 0 ? [] : [`${name}: Retry`]),
      ...(retried.some((error) => error === 'States.ALL' || error === 'States.TaskFailed') ? [`${name}: Retry names errors`] : []),
      ...(state.Catch?.some((clause) => clause.ErrorEquals.includes('States.ALL')) ? [] : [`${name}: Catch of everything`]),
    ];
  });
}

/** Constructs that the interpreter of local mode does not have or does otherwise than Step Functions, by where they stand. */
function forbidden(text: string): string[] {
  const patterns: readonly [string, RegExp][] = [
    ['JSONata', /"QueryLanguage"|"(?:Arguments|Assign|Output)":|\{%/],
    ['$$.State or $$.Map', /\$\$\.(?:State|Map|StateMachine)\b/],
    ['HeartbeatSeconds', /"HeartbeatSeconds(?:Path)?"/],
    ['JitterStrategy', /"JitterStrategy"/],
    ['an intrinsic in CausePath or ErrorPath', /"(?:CausePath|ErrorPath)":\s*"States\./],
    ['a Pass with a falsy Result', /"Result":\s*(?:null|false|0|"")/],
    ['a Map or Parallel: a failure does not stop its siblings', /"Type":\s*"(?:Map|Parallel)"/],
    ['TimeoutSecondsPath', /"TimeoutSecondsPath"/],
  ];
  return patterns.flatMap(([name, pattern]) => (pattern.test(text) ? [name] : []));
}

function placeholders(text: string): string[] {
  return [...new Set([...text.matchAll(/\$\{([^}]*)\}/g)].map(([, name = '']) => name))].sort();
}

function placeholderOf(state: string): string {
  return `${state}FunctionArn`;
}

function rowsOf(workflow: string): string[] {
  return steps.filter((step) => step.workflows.some((name) => name === workflow)).map((step) => placeholderOf(step.state));
}

describe.each(workflows)('the $name workflow', ({ name, text, definition }) => {
  test('is a valid state machine once its placeholders are ARNs', () => {
    const filled = text.replace(/\$\{\w+\}/g, 'arn:aws:lambda:eu-central-1:111122223333:function:step');
    const answer = (aslValidator as Validate)(JSON.parse(filled));
    expect(answer.isValid ? '' : answer.errorsText()).toBe('');
  });

  test('says of every Task what is true after it, how long it takes, what it repeats and where it goes on failure', () => {
    expect(definition.Comment).toBeTruthy();
    expect(incomplete(definition)).toEqual([]);
  });

  test('uses nothing that local mode would run otherwise', () => {
    expect(forbidden(text)).toEqual([]);
  });

  test('has a placeholder for each of its rows in the step table, and no other', () => {
    expect(placeholders(text)).toEqual(rowsOf(name).sort());
  });

  test('gives each step half a minute more than its function has', () => {
    const tight = steps.filter((step) => {
      const state = definition.States[step.state];
      return state?.TimeoutSeconds !== undefined && state.TimeoutSeconds < productionSettings.functionSeconds + 30;
    });
    expect(tight.map((step) => step.state)).toEqual([]);
  });

  test('carries ids, numbers and reasons: no field of its payload is named after a value', () => {
    expect([...text.matchAll(/"(\w*(?:value|secret|password)\w*)(?:\.\$)?":/gi)].map(([, field]) => field)).toEqual([]);
  });

  test('names the state of every row as the row does', () => {
    const missing = steps.filter((step) => step.workflows.some((each) => each === name) && !definition.States[step.state]);
    expect(missing.map((step) => step.state)).toEqual([]);
  });
});

describe('the step table', () => {
  test('has one row per state, and each row has its entry file', () => {
    expect(new Set(steps.map((step) => step.state)).size).toBe(steps.length);
    expect(steps.filter((step) => !existsSync(new URL(`../../${step.entry}`, import.meta.url))).map((step) => step.entry)).toEqual([]);
    // Each entry runs what its row runs, and carries nothing else of the table.
    const others = steps.filter(({ state, entry, run }) => !readText(entry).includes(`stepHandler('${state}', ${run.name}, [`));
    expect(others.map(({ entry }) => entry)).toEqual([]);
  });

  test('lets no step after the point of no return create, and no step at all enable', () => {
    const creators = steps.filter((step) => step.may.includes('provider.create')).map((step) => step.state);
    expect(creators).toEqual(['Issue']);
    expect(steps.flatMap((step) => step.may).filter((right) => /enable|rotate/.test(right))).toEqual([]);
  });
});

describe('the rules of workflows', () => {
  test('see a Task that lacks something', () => {
    const bad = { States: { A: { Type: 'Task', Comment: 'After this: x', Retry: [{ ErrorEquals: ['States.ALL'] }] } } };
    expect(incomplete(bad)).toEqual(['A: TimeoutSeconds', 'A: Retry names errors', 'A: Catch of everything']);
    expect(incomplete({ States: { A: { Type: 'Succeed' } } })).toEqual(['A: Comment']);
  });

  test.each([
    '{"QueryLanguage":"JSONata"}',
    '{"x.$":"$$.State.Name"}',
    '{"HeartbeatSeconds":3}',
    '{"JitterStrategy":"FULL"}',
    '{"Type":"Map"}',
    '{"Result":null}',
  ])('see the construct in %s', (text) => {
    expect(forbidden(text)).toHaveLength(1);
  });

  test('see a definition that AWS would refuse', () => {
    expect((aslValidator as Validate)({ StartAt: 'Gone', States: { A: { Type: 'Succeed' } } }).isValid).toBe(false);
  });

  test('see a placeholder without a row', () => {
    const text = `{"Resource":"$${'{GoneFunctionArn}'}"}`;
    expect(placeholders(text).filter((name) => !rowsOf('rotate').includes(name))).toEqual(['GoneFunctionArn']);
  });
});
