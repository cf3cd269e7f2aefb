import { randomUUID } from 'node:crypto';
import { Command } from 'commander';
import { Refused } from '../../core/errors.ts';
import { checkKeyId } from '../../core/key-id.ts';
import { type LeakSource, leakSources } from '../../core/leak-sources.ts';
import type { Plan } from '../../core/plan.ts';
import type { Revoked } from '../../core/revoke/begin.ts';
import type { Planned } from '../../core/revoke/planned.ts';
import { aftermath } from '../aftermath.ts';
import { type BreakGlassOptions, breakGlass } from '../break-glass/cut.ts';
import { type BulkOptions, isBulk, revokeMany } from '../bulk.ts';
import { certificatesOf, showCertificates } from '../certificate-text.ts';
import { exitOf, exits } from '../ending.ts';
import { confirmByName, secondsOf, versionNumbers } from '../input.ts';
import { identify, lastUseText, screen } from '../leaked.ts';
import { showPlan } from '../plan-text.ts';
import { action, examples, type GlobalOptions, type Session } from '../session.ts';
import { endUnmanaged } from '../unmanaged.ts';
import { watch } from '../watch.ts';

interface Options extends GlobalOptions, BreakGlassOptions, BulkOptions {
  readonly breakGlass?: boolean;
  readonly planned?: boolean;
}

type Scope = 'all' | readonly number[];

/** `rekey revoke`: ends a leaked key, now. */
export function revoke(): Command {
  return new Command('revoke')
    .description('end a key that leaked: disabled at once, everybody told, proven dead; needs no approval')
    .argument('[key]', 'its id; or paste the leaked string with --leaked -')
    .option('--leaked <->', 'find the key by the leaked string, read from stdin or a hidden prompt')
    .option('--versions <numbers>', 'only these versions, like 3,4; otherwise all, or the one that leaked')
    .option('--source <where>', `where it was found: ${leakSources.join(', ')}; unknown holds the next version back`)
    .option('--reason <text>', 'why, for the record; can be said later')
    .option('--confirm <key>', 'the key’s name, where nobody can be asked to type it')
    .option('--request-id <id>', 'names this request: the same id again is the same request')
    .option('--dry-run', 'say what would happen and who is affected, and do nothing')
    .option('--wait', 'watch until it is contained', true)
    .option('--no-wait', 'do not watch')
    .option('--timeout <seconds>', 'stop watching after this long', secondsOf)
    .option('--unmanaged', 'end a credential that no key has, at its provider; with --leaked - it is then seen refused')
    .option('--provider <name>', 'with --unmanaged: whose credential it is')
    .option('--account <name>', 'with --unmanaged: which of the provider’s accounts')
    .option('--credential-id <id>', 'with --unmanaged: the vendor’s own id of it')
    .option('--param <name=value...>', 'with --unmanaged: what the provider needs besides, like userName=deploy')
    .option('--owner <name>', 'every key of an owner')
    .option('--vendor <name>', 'every key at a provider')
    .option('--service <name>', 'every key that a consumer uses')
    .option('--issued-before <instant>', 'every version made before then, like 2027-01-31T00:00:00Z')
    .option('--leaked-in <file>', 'every version whose value stands in a file, one a line; "-" for stdin')
    .option('--planned', 'no emergency: of a high tier it waits for an owner’s approval')
    .option('--break-glass', 'nothing of Rekey answers: end it with your own right at the provider, and hand it over later')
    .option(
      '--admin-from <source>',
      'with --break-glass: your admin credential from "-" (stdin), fd:N or env:NAME; otherwise you are asked',
    )
    .addHelpText(
      'after',
      examples(
        'revoke payments/stripe',
        'revoke --leaked -',
        'revoke payments/stripe --source chat --confirm payments/stripe',
        'revoke payments/stripe --dry-run',
        'revoke --vendor stripe --issued-before 2027-01-05T00:00:00Z --reason "vendor breach"',
        'revoke --unmanaged --provider aws-iam --param userName=deploy --credential-id AKIA…',
      ),
    )
    .action(action<Options>(run));
}

async function run(session: Session, options: Options, key?: string): Promise<number> {
  if (options.breakGlass) return breakGlass(session, options, key);
  if (options.unmanaged) return endUnmanaged(session, options);
  // The stopwatch begins when the responder does: finding the key and saying yes are part of it.
  const reportedAt = new Date().toISOString();
  if (options.planned) return plan(session, options, key);
  if (isBulk(options)) return revokeMany(session, options, reportedAt);
  const { keyId, versions } = await subject(session, options, key);
  const scope = versionsOf(options.versions) ?? versions ?? 'all';
  const source = sourceOf(options.source);
  if (options.dryRun) {
    const plan = await preview(session, keyId, scope);
    session.result(plan, () => showPlan(plan, `Revoking ${keyId} would`));
    return exits.ok;
  }
  if (options.confirm === undefined && session.live) await shortPreview(session, keyId, scope);
  await confirmByName(keyId, options.confirm, `This cannot be undone. Type ${keyId} to revoke it`);
  const revoked = await session.door.ask<Revoked>('revoke', {
    keyId,
    scope,
    requestId: options.requestId ?? randomUUID(),
    ...(source === undefined ? {} : { source }),
    reportedAt,
    ...(options.reason === undefined ? {} : { reason: options.reason }),
  });
  session.note(`${keyId}: ${revoked.message}.`);
  if (options.reason === undefined) session.note('No reason was given; say it in the review that follows.');
  return options.wait && !revoked.alreadyDead ? conclude(session, revoked, scope, options.timeout) : told(session, revoked, scope);
}

/** Which key, and which version where the leaked string says so. */
async function subject(
  session: Session,
  { leaked, confirm }: Options,
  key: string | undefined,
): Promise<{ keyId: string; versions?: number[] }> {
  if (leaked !== undefined && leaked !== '-')
    throw new Refused('E_USAGE', '--leaked takes "-": the string itself comes by stdin or a hidden prompt');
  if (leaked !== undefined && key !== undefined) throw new Refused('E_USAGE', 'name the key or paste the leaked string, not both');
  if (key !== undefined) return { keyId: checkKeyId(key) };
  if (leaked === undefined) throw new Refused('E_USAGE', 'name the key, or paste the leaked string: rekey revoke --leaked -');
  const match = await identify(session);
  session.note(screen(match));
  if (confirm === undefined && session.live) session.note(await lastUseText(session, match));
  return { keyId: match.keyId, versions: [match.version] };
}

/** A revocation that is no emergency: done, or waiting for somebody else. */
async function plan(session: Session, options: Options, key?: string): Promise<number> {
  const keyId = checkKeyId(key ?? '');
  if (options.reason === undefined) throw new Refused('E_USAGE', 'a planned revocation needs --reason');
  const scope = versionsOf(options.versions) ?? 'all';
  const source = sourceOf(options.source);
  await confirmByName(keyId, options.confirm, `This cannot be undone. Type ${keyId} to ask for its revocation`);
  const asked = {
    keyId,
    scope,
    reason: options.reason,
    requestId: options.requestId ?? randomUUID(),
    ...(source === undefined ? {} : { source }),
  };
  const planned = await session.door.ask<Planned>('revoke.plan', asked);
  session.result(planned, () =>
    planned.waits
      ? `It waits for an owner who is not you, until ${planned.approval.until}: rekey approve ${keyId}. If it cannot wait, it is an emergency: rekey revoke ${keyId}`
      : `${keyId}: ${planned.revoked.message}. Watch it: rekey key show ${keyId} --watch`,
  );
  return planned.waits ? exits.needsPerson : exits.ok;
}

async function preview(session: Session, keyId: string, scope: Scope): Promise<Plan> {
  return session.door.ask<Plan>('revoke', { keyId, scope, dryRun: true });
}

/** Whoever is about to revoke sees whom it hits; a preview that fails stops nobody. */
async function shortPreview(session: Session, keyId: string, scope: Scope): Promise<void> {
  try {
    const { would, consumers, lastDrill } = await preview(session, keyId, scope);
    session.note(
      [
        ...would.map((line) => `  ${line}`),
        `Services that use it: ${consumers.join(', ') || 'none known'}`,
        `Last drill: ${lastDrill}`,
      ].join('\n'),
    );
  } catch (error) {
    if (error instanceof Refused && error.code === 'E_NOT_FOUND') throw error;
    session.note('Whom this affects cannot be shown right now. Revoking works without it.');
  }
}

async function conclude(session: Session, revoked: Revoked, scope: Scope, timeoutSeconds: number | undefined): Promise<number> {
  const { keyId, operationId } = revoked;
  const { end, report } = await watch(session, { keyId, operationId, ...(timeoutSeconds === undefined ? {} : { timeoutSeconds }) });
  const proof = await certificatesOf(session, keyId, operationId);
  const next = aftermath(report, scope);
  session.result({ ...revoked, end, report, proof, next }, () => [showCertificates(proof), ...next].filter(Boolean).join('\n'));
  // Contained, with the next version held back, is how a revocation should end: what is left is the person's own decision.
  return end === 'ended' && report.attention ? exits.needsPerson : exitOf(end);
}

async function told(session: Session, revoked: Revoked, scope: Scope): Promise<number> {
  const { keyId } = revoked;
  const report = await session.door.ask<Parameters<typeof aftermath>[0]>('key.show', { keyId });
  const next = revoked.alreadyDead
    ? [`${keyId}: ${revoked.workflow === 'not needed' ? 'nothing to do.' : `it is tried again; look: rekey key show ${keyId}`}`]
    : [...aftermath(report, scope), `Watch it: rekey key show ${keyId} --watch`];
  session.result({ ...revoked, report, next }, () => next.join('\n'));
  return exits.ok;
}

function versionsOf(text: string | undefined): number[] | 'all' | undefined {
  return text === undefined || text === 'all' ? text : versionNumbers(text);
}

function sourceOf(text: string | undefined): LeakSource | undefined {
  const source = leakSources.find((one) => one === text);
  if (text !== undefined && !source) throw new Refused('E_USAGE', `--source must be one of ${leakSources.join(', ')}`);
  return source;
}
