import { ProviderRefused, ProviderUnavailable } from '../../core/errors.ts';
import type { Credential } from '../../core/ports.ts';
import { Value } from '../../core/value.ts';
import { digestOf } from './digest.ts';
import type { Answer } from './egress.ts';
import { at } from './pointer.ts';
import type { ListOperation } from './spec.ts';
import { expectAnswer, type Run, runSteps, toRequest } from './steps.ts';
import { render, type Scope } from './template.ts';
import { instantOf } from './timestamp.ts';

/** 50 pages of a vendor's list: more means that the list does not end. */
const maxPages = 50;

/** A credential as the vendor lists it, with its value where the list tells values. */
export interface Listed extends Credential {
  readonly value?: Value;
}

/** All credentials, complete, or it throws: the steps once, then the last one again for each further page. */
export async function listPages(run: Run, list: ListOperation): Promise<Listed[]> {
  const { answer: first, scope } = await runSteps(run, list.steps);
  const step = list.steps.at(-1);
  if (!step) return [];
  const found = new Map<string, Listed>();
  const seen = new Set<string>();
  let answer = first;
  for (let page = 1; ; page++) {
    const items = itemsOf(run, list, answer);
    for (const item of items) {
      if (!fits(list, item, scope)) continue;
      const credential = toCredential(run, list, item);
      found.set(credential.credentialId, credential);
    }
    const next = await toRequest(run, step, scope);
    const url = nextUrl(list.page, answer, next.url, items.length, page);
    if (!url) return [...found.values()];
    if (page >= maxPages || seen.has(url.href)) throw new ProviderUnavailable(`${run.spec.metadata.id} list does not end`);
    if (url.origin !== next.url.origin) throw new ProviderRefused(`${run.spec.metadata.id} list: the next page is on another host`);
    seen.add(url.href);
    answer = await run.send({ ...next, url }, run.signal);
    expectAnswer(run, step, answer, scope);
  }
}

function itemsOf(run: Run, list: ListOperation, answer: Answer): readonly unknown[] {
  const items = at(answer.json, list.items);
  if (Array.isArray(items)) return items;
  // An account that has one key at a time shows it as what it is.
  if (list.page === 'none' && typeof items === 'object' && items !== null) return [items];
  throw new ProviderUnavailable(`${run.spec.metadata.id} list: status ${answer.status} without a list`);
}

/** Whether the entry is of this key's principal at all. */
function fits({ where = {} }: ListOperation, item: unknown, scope: Scope): boolean {
  return Object.entries(where).every(
    ([pointer, wanted]) => at(item, pointer) === (typeof wanted === 'string' ? render(wanted, scope) : wanted),
  );
}

function toCredential(run: Run, { each }: ListOperation, item: unknown): Listed {
  const digest = typeof each.credentialId === 'object';
  const id = at(item, typeof each.credentialId === 'object' ? each.credentialId.pointer : each.credentialId);
  if ((typeof id !== 'string' && typeof id !== 'number') || id === '')
    throw new ProviderUnavailable(`${run.spec.metadata.id} list: an entry without an id`);
  const { enabled } = each;
  const state = enabled === 'always' ? undefined : at(item, enabled.pointer);
  if (enabled !== 'always' && state === undefined) throw new ProviderUnavailable(`${run.spec.metadata.id} list: an entry without a state`);
  const label = each.label === undefined ? undefined : at(item, each.label);
  const createdAt = each.createdAt && instantOf(at(item, each.createdAt.pointer), each.createdAt.format);
  const value = each.value === undefined ? undefined : at(item, each.value);
  return {
    credentialId: digest ? digestOf(String(id)) : String(id),
    enabled: enabled === 'always' || enabled.in.some((wanted) => wanted === state),
    ...(typeof label === 'string' ? { label } : {}),
    ...(createdAt ? { createdAt } : {}),
    ...(typeof value === 'string' && value !== '' ? { value: new Value(value) } : {}),
  };
}

function nextUrl(page: ListOperation['page'], answer: Answer, base: URL, count: number, done: number): URL | undefined {
  if (page === 'none') return undefined;
  const url = new URL(base);
  if ('offset' in page) {
    url.searchParams.set(page.offset.param, String(done * page.offset.size));
    return count < page.offset.size ? undefined : url;
  }
  if ('number' in page) {
    url.searchParams.set(page.number.param, String(done + page.number.first));
    return count < page.number.size ? undefined : url;
  }
  if ('link' in page) return linked(answer, base);
  if ('cursor' in page && page.cursor.while !== undefined && at(answer.json, page.cursor.while) !== true) return undefined;
  const token = at(answer.json, 'cursor' in page ? page.cursor.pointer : page.next.pointer);
  if (token === undefined || token === null || token === '' || token === false) return undefined;
  if (typeof token !== 'string' && typeof token !== 'number')
    throw new ProviderUnavailable('list: the pointer to the next page is not text');
  if ('next' in page) {
    const next = URL.parse(String(token), base.href);
    if (!next) throw new ProviderUnavailable('list: the next page is not a URL');
    return next;
  }
  url.searchParams.set(page.cursor.param, String(token));
  return url;
}

/** The target of the Link header that says rel="next" (RFC 8288), where there is one. */
function linked(answer: Answer, base: URL): URL | undefined {
  const header = answer.headers['link'];
  const links = (Array.isArray(header) ? header : [header ?? '']).flatMap((text) => text.split(/,\s*(?=<)/));
  const target = links
    .map((link) => /^\s*<([^>]*)>\s*;(?:.*;)?\s*rel="?next"?\s*(?:;|$)/i.exec(link)?.[1])
    .find((found) => found !== undefined);
  if (target === undefined) return undefined;
  const next = URL.parse(target, base.href);
  if (!next) throw new ProviderUnavailable('list: the next page is not a URL');
  return next;
}
