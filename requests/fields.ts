import * as z from 'zod/mini';
import { keyIdProblem } from '../core/key-id.ts';

/** Text for people: one line, without control, format and direction characters that could forge a log line or hide a word. */
export function text(most = 200) {
  return z
    .string()
    .check(
      z.minLength(1, 'is empty'),
      z.maxLength(most),
      z.regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u, 'must be one line without control characters'),
    );
}

/** A name that ends up in ids and paths: ASCII, lower case. */
export function name() {
  return z.string().check(z.maxLength(64), z.regex(/^[a-z0-9][a-z0-9._-]*$/, 'must be a name of a–z, 0–9, ".", "_" and "-"'));
}

/** An id of a key; the message says what is wrong with another text. */
export function keyId() {
  return z.string().check(
    z.superRefine((given, context) => {
      const problem = keyIdProblem(given);
      if (problem) context.addIssue({ code: 'custom', message: problem });
    }),
  );
}

/** A list with at most `most` elements. */
export function list<Element extends z.ZodMiniType>(element: Element, most: number) {
  return z.array(element).check(z.maxLength(most));
}
