import type * as z from 'zod/mini';
import { type Problem, Refused } from '../core/errors.ts';
import { shownName } from '../core/secret-detector.ts';

/** Checks input against a strict schema. Throws Refused E_INPUT_INVALID with one problem for each fault; never repeats what was given. */
export function accept<Schema extends z.ZodMiniType>(schema: Schema, input: unknown, what: string): z.output<Schema> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const problems = problemsOf(parsed.error.issues, input);
  const first = problems[0];
  throw new Refused('E_INPUT_INVALID', `${what} is refused: ${first?.path ? `${first.path} ` : ''}${first?.message ?? ''}`, problems);
}

/** One problem for each fault: the dotted path of the field, and what would be right. */
export function problemsOf(issues: readonly z.core.$ZodIssue[], input: unknown): Problem[] {
  return issues.flatMap((issue): Problem[] => {
    const path = issue.path.map((name) => shownName(String(name))).join('.');
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({ path: path ? `${path}.${shownName(key)}` : shownName(key), message: 'is not a known field' }));
    }
    return [{ path, message: at(input, issue.path) === undefined ? 'is missing' : sentence(issue) }];
  });
}

function sentence(issue: z.core.$ZodIssue): string {
  if (issue.message !== 'Invalid input') return issue.message;
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${issue.expected === 'int' ? 'a whole number' : article(issue.expected)}`;
    case 'invalid_value':
      return `must be one of ${issue.values.map(String).join(', ')}`;
    case 'too_small':
      return `must have at least ${issue.minimum}${unit(issue.origin)}`;
    case 'too_big':
      return `must have at most ${issue.maximum}${unit(issue.origin)}`;
    default:
      return 'is not acceptable here';
  }
}

function article(type: string): string {
  if (type === 'object' || type === 'array') return type === 'array' ? 'a list' : 'a map of fields';
  return `a ${type === 'string' ? 'text' : type}`;
}

function unit(origin: string): string {
  return { string: ' characters', array: ' elements', number: '', int: '' }[origin] ?? '';
}

function at(input: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, name) => (typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined), input);
}
