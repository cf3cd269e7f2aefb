import type { AuditEntry, AuditLine } from '../../core/audit.ts';
import { effectNames } from '../../core/effect.ts';
import type { Item, Write } from '../../core/inventory.ts';
import { keyOf, outboxPartition } from '../../core/items.ts';
import type { Key } from '../../core/key.ts';
import type { Notice } from '../../core/notice.ts';
import type { Version } from '../../core/version.ts';
import type { Judge } from './judge.ts';
import type { KeyRecord, Oracle } from './oracle.ts';
import { targetOf, valueWritten } from './watch.ts';
import { deedInWords, eventInWords } from './words.ts';
import type { Worker, WriteName } from './worker.ts';

/** Keeps the oracle's records as transactions and effects come about, and has each judged. */
export interface Recorder {
  committed(worker: Worker | undefined, writes: readonly Write[], after: readonly (Item | undefined)[]): void;
  /** An external write is about to be made. */
  making(worker: Worker, name: WriteName): void;
  landed(worker: Worker, name: WriteName, args: readonly unknown[], result: unknown): void;
  say(line: string): void;
}

const nobody: Worker = {
  name: 'set-up',
  operationId: null,
  startSeq: 0,
  startedAt: 0,
  endsAt: Infinity,
  skewMs: 0,
  fences: new Map(),
  intended: [],
  outstanding: 0,
  gone: false,
};

export function recorderOf(oracle: Oracle, judge: Judge): Recorder {
  const say = (line: string) => void oracle.lines.push(`${new Date(Date.now()).toISOString().slice(11, 23)} ${line}`);
  const tell = ({ name }: Worker, { facts }: KeyRecord, { actor, event, detail }: AuditLine) => {
    // Intents and outcomes are told by the effects themselves.
    if (event === 'effect.intended' || event === 'effect.done') return;
    say(`${facts.id}: ${actor === `step:${name.toLowerCase()}` ? name : actor} ${eventInWords(event, detail)}`);
  };
  return {
    say,
    committed(worker = nobody, writes, after) {
      const record = recordIn(oracle, writes);
      if (!record) return;
      const before = record.meta;
      const versionsBefore = new Map(record.versions);
      const entries: AuditEntry[] = [];
      after.forEach((item, i) => {
        const write = writes[i] as Write;
        if (item) keep(record, item, entries);
        else if (write.do === 'delete') record.records.delete(write.key.sk);
      });
      if (record.meta && before && record.meta.fence > before.fence) tookFence(worker, before, record.meta);
      for (const entry of entries) {
        record.audit.push(entry);
        intends(worker, entry);
        if (!before?.pending.some(({ at, event }) => at === entry.at && event === entry.event)) tell(worker, record, entry);
        if (entry.event === 'revocation.contained') acknowledge(record);
      }
      // A single update adds to the lines; a transaction files them all.
      const lines = entries.length ? [] : (record.meta?.pending.slice(before?.pending.length ?? 0) ?? []);
      for (const line of lines) tell(worker, record, line);
      judge.wrote({ worker, record, before, writes, versionsBefore, entries, lines });
    },
    making(worker, name) {
      const undoes = name === 'provider.delete' && worker.intended.includes('provider.create');
      if (guarded(worker, name) && !worker.intended.includes(name) && !undoes) oracle.unintended.push(`${worker.name} made ${name}`);
    },
    landed(worker, name, args, result) {
      const target = targetOf(name, args, result);
      oracle.effects.push({ at: Date.now(), worker, name, target });
      if (name === 'provider.create') {
        const { value, credentialId } = result as { value: { reveal(): string }; credentialId: string };
        oracle.credentialOf.set(value.reveal(), credentialId);
      }
      if (name === 'destination.write') {
        oracle.holding.set(target, oracle.credentialOf.get(valueWritten(args).reveal()) ?? null);
        for (const { overwritten } of oracle.keys.values()) overwritten.delete(target);
      }
      if (name === 'notifier.publish') {
        const { type, audience, id } = args[0] as Notice;
        say(`${worker.name}: the notice ${type} (${id.slice(0, 6)}) goes to ${audience === '*' ? 'everybody' : audience}`);
      } else say(`${worker.name}: ${deedInWords(name, target)}`);
      judge.look();
    },
  };
}

function recordIn(oracle: Oracle, writes: readonly Write[]): KeyRecord | undefined {
  for (const write of writes) {
    const { pk } = write.do === 'put' ? write.item : write.key;
    if (pk.startsWith('KEY#')) return oracle.keys.get(pk.slice(4));
  }
  return undefined;
}

function keep(record: KeyRecord, item: Item, entries: AuditEntry[]): void {
  const { sk } = item;
  if (item.pk === outboxPartition(record.facts.id)) record.committedNotices.add((item['notice'] as unknown as Notice).id);
  if (!item.pk.startsWith('KEY#')) return;
  if (sk === 'META') record.meta = keyOf(item);
  else if (sk.startsWith('VER#')) record.versions.set(Number(item['number']), item as unknown as Version);
  else if (sk.startsWith('AUD#')) entries.push(item as unknown as AuditEntry);
  else if (sk.startsWith('DEST#') || sk.startsWith('ADOPT#')) record.records.set(sk, item);
}

/** An attempt that acquired has the new fence; what raises the fence without being an attempt (a request) has none to lose. */
function tookFence(worker: Worker, before: Key, after: Key): void {
  const acquired =
    after.rotation?.attemptId !== before.rotation?.attemptId ||
    after.revocation?.attemptId !== before.revocation?.attemptId ||
    after.repairingAt !== before.repairingAt;
  if (acquired && worker !== nobody) worker.fences.set(after.facts.id, after.fence);
}

function intends({ intended }: Worker, { event, detail }: AuditEntry): void {
  const name = String(detail['effect']);
  if (event === 'effect.intended') intended.push(name);
  else if ((event === 'effect.done' || event === 'effect.failed') && intended.includes(name)) intended.splice(intended.indexOf(name), 1);
}

/** Whether an external write has to be on record before it is made: a registered effect of a step or of a repair. A request to revoke tells the provider first of all. */
function guarded({ operationId, name }: Worker, write: WriteName): boolean {
  const repairs = name === 'reconciler' && write !== 'provider.disable';
  return (Boolean(operationId) || repairs) && (effectNames as readonly string[]).includes(write);
}

/** From now on nothing in scope may be accepted. */
function acknowledge({ meta, versions, acknowledged }: KeyRecord): void {
  for (const number of meta?.revocation?.scope ?? []) {
    const credentialId = versions.get(number)?.credentialId;
    if (credentialId && !acknowledged.has(credentialId)) acknowledged.set(credentialId, Date.now());
  }
}
