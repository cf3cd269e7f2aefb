import type * as z from 'zod/mini';
import type { Fault } from './check-spec.ts';

type Issue = z.core.$ZodIssue;

/** The schema's complaints as sentences. They name fields and allowed words, never what the file says. */
export function schemaFaults(issues: readonly Issue[], content: unknown): Fault[] {
  return issues.flatMap((issue) => faultsOf(issue, content, []));
}

function faultsOf(issue: Issue, content: unknown, above: readonly (string | number)[]): Fault[] {
  const path = [...above, ...issue.path.map((part) => (typeof part === 'symbol' ? '' : part))];
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({ path, key, message: unknownField(key) }));
    case 'invalid_type':
      return [{ path, message: present(content, path) ? `must be of type ${issue.expected}` : 'is missing' }];
    case 'invalid_value':
      return [{ path, message: present(content, path) ? `must be one of: ${issue.values.map(String).join(', ')}` : 'is missing' }];
    case 'too_small':
      return [{ path, message: `is less than the least allowed, ${issue.minimum}` }];
    case 'too_big':
      return [{ path, message: `is more than the most allowed, ${issue.maximum}` }];
    case 'invalid_format':
      return [{ path, message: 'does not have the required form' }];
    case 'invalid_key':
      return [{ path, message: 'has a field whose name does not have the required form' }];
    case 'invalid_union':
      return unionFaults(issue, content, path);
    default:
      return [{ path, message: 'is not valid' }];
  }
}

/** Of several forms, the one that the author seems to have meant: the one that got furthest into the document. */
function unionFaults(issue: Extract<Issue, { code: 'invalid_union' }>, content: unknown, path: readonly (string | number)[]): Fault[] {
  if ('options' in issue && Array.isArray(issue.options))
    return [{ path, message: `must be one of: ${issue.options.map(String).join(', ')}` }];
  const deepest = issue.errors.filter((errors) => errors.some((error) => error.path.length > 0 || error.code === 'unrecognized_keys'));
  const meant = deepest.toSorted((a, b) => a.length - b.length)[0];
  return meant ? meant.flatMap((error) => faultsOf(error, content, path)) : [{ path, message: 'has none of the allowed forms' }];
}

function present(content: unknown, path: readonly (string | number)[]): boolean {
  let here = content;
  for (const part of path) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, part)) return false;
    here = (here as Record<string | number, unknown>)[part];
  }
  return true;
}

function unknownField(key: string): string {
  if (key === 'enable') return 'there is no enable: nothing in Rekey turns a version back on';
  if (key === 'rotate' || key === 'regenerate') return `there is no ${key}: it would end the old version with no overlap`;
  return 'is not a field of the spec';
}
