import { NoFreeSlot, ProviderRefused, ProviderUnavailable } from '../../core/errors.ts';
import type { Answer } from './egress.ts';
import type { Spec } from './spec.ts';
import type { Scope } from './template.ts';
import { holds } from './verdict.ts';

type ErrorClass = NonNullable<Spec['errors']>[number]['class'];

/** Where an answer that is not the expected one came from. */
export interface Origin {
  readonly provider: string;
  readonly operation: string;
  readonly step: string;
}

/**
 * The named error for an answer that a step did not expect: by the spec's own rules first, then by status. Made of ids
 * and numbers only. An unexpected 2xx means that nobody knows whether the call took effect.
 */
export function failure(spec: Spec, answer: Answer, origin: Origin, scope: Scope): Error {
  const rule = spec.errors?.find(({ when }) => holds(when, answer, scope));
  const kind = rule?.class ?? byStatus(answer.status);
  const what = `${origin.provider} ${origin.operation} (${origin.step}): status ${answer.status}`;
  switch (kind) {
    case 'quota':
      return origin.operation === 'create' ? new NoFreeSlot(`${what}, the limit of credentials is reached`) : new ProviderRefused(what);
    case 'throttled':
      return new ProviderUnavailable(
        `${what}, asked to slow down`,
        retryAfter(answer.headers[(rule?.retryAfter?.header ?? 'retry-after').toLowerCase()]),
      );
    case 'transient':
      return new ProviderUnavailable(what);
    case 'adminDenied':
      return new ProviderRefused(`${what}, the admin credential was refused`);
    case 'permanent':
      return new ProviderRefused(what);
    case 'unclear':
      return new ProviderUnavailable(`${what}, the answer is not what was expected; whether it took effect is unknown`);
  }
}

function byStatus(status: number): ErrorClass | 'unclear' {
  if (status === 429) return 'throttled';
  if (status === 408 || status >= 500) return 'transient';
  if (status === 401) return 'adminDenied';
  return status >= 300 ? 'permanent' : 'unclear';
}

/** Seconds from a Retry-After header (RFC 9110 §10.2.3: a number of seconds or a date), at most one hour. */
function retryAfter(header: string | string[] | undefined): number | undefined {
  const text = Array.isArray(header) ? header[0] : header;
  if (text === undefined) return undefined;
  const seconds = /^\d+(\.\d+)?$/.test(text) ? Number(text) : (Date.parse(text) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.min(3600, Math.max(0, Math.ceil(seconds))) : undefined;
}
