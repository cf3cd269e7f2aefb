import type { Probe, Verdict } from '../../core/ports.ts';
import type { Answer } from './egress.ts';
import { at } from './pointer.ts';
import type { Condition, Spec } from './spec.ts';
import { render, type Scope } from './template.ts';

/** True when every fact of the condition holds for the answer. A condition without facts holds for none. */
export function holds(condition: Partial<Condition>, answer: Answer, scope: Scope): boolean {
  const { status, equals = {}, in: among = {}, present = [], absent = [], bodyContains } = condition;
  const looksAtBody = Object.keys(equals).length + Object.keys(among).length + present.length + absent.length > 0;
  if (!status && !looksAtBody && bodyContains === undefined) return false;
  if (status && !status.includes(answer.status)) return false;
  if (looksAtBody && answer.json === undefined) return false;
  if (bodyContains !== undefined && !answer.text.includes(bodyContains)) return false;
  return (
    Object.entries(equals).every(([pointer, wanted]) => at(answer.json, pointer) === filled(wanted, scope)) &&
    Object.entries(among).every(([pointer, wanted]) => wanted.some((one) => at(answer.json, pointer) === filled(one, scope))) &&
    present.every((pointer) => (at(answer.json, pointer) ?? null) !== null) &&
    absent.every((pointer) => (at(answer.json, pointer) ?? null) === null)
  );
}

/**
 * Judges the answer to a probe. `alive` also needs the vendor's identity in the body; an answer that fits both verdicts,
 * neither, or that says nothing about a key (redirect, 408, 429, 5xx) is inconclusive.
 */
export function judge(probe: Spec['operations']['probe'], answer: Answer, scope: Scope): Probe {
  const seen = `status ${answer.status}`;
  if (saysNothing(answer.status)) return { verdict: 'inconclusive', detail: seen };
  const fits = (rules: readonly Condition[]) => rules.some((rule) => holds(rule, answer, scope));
  const alive = fits(probe.verdict.alive);
  const denied = fits(probe.verdict.denied);
  if (alive === denied) return { verdict: 'inconclusive', detail: `${seen}, ${alive ? 'fits both verdicts' : 'fits no verdict'}` };
  if (alive && !identified(probe.identity, answer, scope))
    return { verdict: 'inconclusive', detail: `${seen}, without the vendor's identity` };
  const verdict: Verdict = alive ? 'alive' : 'denied';
  return { verdict, detail: seen };
}

function identified(identity: Spec['operations']['probe']['identity'], answer: Answer, scope: Scope): boolean {
  if (!identity) return true;
  const found = at(answer.json, identity.pointer) ?? null;
  return identity.equals === undefined ? found !== null : found === filled(identity.equals, scope);
}

function saysNothing(status: number): boolean {
  return status < 200 || (status >= 300 && status < 400) || status === 408 || status === 429 || status >= 500;
}

function filled(wanted: string | number | boolean | null, scope: Scope): unknown {
  return typeof wanted === 'string' ? render(wanted, scope) : wanted;
}
