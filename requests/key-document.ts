import { stringify } from 'yaml';
import * as z from 'zod/mini';
import type { Problem } from '../core/errors.ts';
import type { KeyFacts } from '../core/key.ts';
import { formatDuration, parseDuration } from './duration.ts';
import { factsProblems, keyFacts } from './facts.ts';
import { problemsOf } from './problems.ts';
import { readYaml, type YamlDocument } from './yaml-text.ts';

/** A key as its file says it, and where. */
export interface KeyRow {
  readonly facts: KeyFacts;
  readonly source: string;
}

/** A document that was refused: its id where it has a usable one, and every fault with line and column. */
export interface RejectedRow {
  readonly id: string | null;
  readonly source: string;
  readonly problems: readonly Problem[];
}

export interface KeyFile {
  readonly keys: readonly KeyRow[];
  readonly rejected: readonly RejectedRow[];
}

/** ISO 8601, like PT5M; turned into seconds. */
const duration = z.pipe(
  z.string().check(z.refine((text: string) => parseDuration(text) !== undefined, 'must be a duration like PT5M, PT2H or P1D')),
  z.transform((text: string) => parseDuration(text) ?? 0),
);

const instant = z.iso.datetime();
const [destination, consumer] = [keyFacts.shape.destinations.def.element, keyFacts.shape.consumers.def.element];
const {
  id,
  owner,
  team,
  unit,
  environment,
  purpose,
  provider,
  account,
  params,
  privileged,
  exposure,
  readers,
  scopes,
  publishable,
  canary,
  store,
  exclusive,
  incident,
  monitors,
  acceptsGap,
  managedBy,
  mode,
} = keyFacts.shape;

/**
 * The key document. Mandatory: who owns it, what it is for, where it is used, which vendor makes it, which store keeps it, where it is
 * delivered, who uses it (`[]` says that nobody is known), and when the vendor ends it (`never` says that it does not). The due date and the
 * tier are derived, so there is no field for them.
 */
const keyDocument = z.strictObject({
  apiVersion: z.literal('rekey/v1'),
  kind: z.literal('Key'),
  id,
  owner,
  team: z.optional(team),
  unit: z._default(unit, 'default'),
  environment,
  purpose,
  provider,
  account: z._default(account, 'default'),
  params: z._default(params, {}),
  privileged: z._default(privileged, false),
  exposure: z._default(exposure, 'internal'),
  readers: z._default(readers, []),
  scopes: z._default(scopes, []),
  publishable,
  canary,
  store,
  destinations: z
    .array(z.extend(z.omit(destination, { environment: true }), { environment: z.optional(environment) }))
    .check(z.minLength(1, 'must name at least one place the value is delivered to'), z.maxLength(20)),
  consumers: z
    .array(
      z.extend(z.omit(consumer, { refreshSeconds: true, deploySeconds: true, class: true, proof: true }), {
        refresh: duration,
        deploy: z.optional(duration),
        class: z._default(consumer.shape.class, 'cached'),
        proof: z._default(consumer.shape.proof, 'possession'),
      }),
    )
    .check(z.maxLength(40)),
  exclusive: z._default(exclusive, false),
  incident: z._default(z.extend(incident, { reissue: z._default(incident.shape.reissue, 'automatic') }), {
    contacts: [],
    reissue: 'automatic',
  }),
  monitors: z._default(monitors, []),
  expires: z
    .string()
    .check(
      z.refine(
        (given: string) => given === 'never' || instant.safeParse(given).success,
        'must be "never" or an instant in UTC, like 2027-01-31T00:00:00Z',
      ),
    ),
  overlap: z.optional(duration),
  acceptsGap,
  managedBy,
  mode: z._default(mode, 'live'),
});

/**
 * The keys of a YAML file: one document, several, or a list of them. Every fault of every document is reported with line and column, so
 * that one bad row hides no other; an id used twice refuses both rows. What only the policy knows is left to the door.
 * Throws what `readYaml` throws for a file that cannot be read at all, or that seems to hold a value.
 */
export function readKeyFile(text: string, file: string): KeyFile {
  const rows = readYaml(text, file)
    .flatMap(split)
    .map((document) => readRow(document, file));
  const ids = rows.map((row) => ('facts' in row ? row.facts.id : row.id));
  const settled = rows.map((row, index): KeyRow | RejectedRow => {
    const twice = ids[index] !== null && ids.indexOf(ids[index] as string) !== ids.lastIndexOf(ids[index] as string);
    if (!twice) return row;
    const problem = { path: `${row.source} id`, message: `${ids[index]} is in this file more than once` };
    return { id: ids[index] ?? null, source: row.source, problems: [...('facts' in row ? [] : row.problems), problem] };
  });
  return { keys: settled.filter((row) => 'facts' in row), rejected: settled.filter((row) => 'problems' in row) };
}

/** The document that `readKeyFile` reads back to the same facts. */
export function writeKeyDocument(facts: KeyFacts): string {
  const { destinations, consumers, expiresAt, overlapSeconds, ...same } = facts;
  const { id, owner, environment, purpose, provider, store, ...optional } = same;
  return stringify({
    apiVersion: 'rekey/v1',
    kind: 'Key',
    ...{ id, owner, environment, purpose, provider, store },
    destinations: destinations.map(({ id, kind, at }) => ({ id, kind, at })),
    // The one consumer of a canary is Rekey itself.
    consumers: (facts.canary ? [] : consumers).map(({ refreshSeconds, deploySeconds, ...one }) => ({
      ...one,
      refresh: formatDuration(refreshSeconds),
      ...(deploySeconds === undefined ? {} : { deploy: formatDuration(deploySeconds) }),
    })),
    expires: expiresAt ?? 'never',
    ...(overlapSeconds === null ? {} : { overlap: formatDuration(overlapSeconds) }),
    ...optional,
  });
}

/** One key of a source that is no YAML: the same fields, the same faults, told by the source alone. */
export function readKeyRow(content: unknown, source: string): KeyRow | RejectedRow {
  const row = readRow({ content, where: () => '' }, source);
  if ('facts' in row) return { facts: row.facts, source };
  // Without a place inside, the field's name is what is left.
  return { ...row, source, problems: row.problems.map(({ path, message }) => ({ path: path.replace(/, (?=: |$)/, ''), message })) };
}

function split(document: YamlDocument): YamlDocument[] {
  const { content, where } = document;
  if (!Array.isArray(content)) return [document];
  return content.map((part: unknown, index) => ({ content: part, where: (path) => where([index, ...path]) }));
}

function readRow({ content, where }: YamlDocument, file: string): KeyRow | RejectedRow {
  const source = `${file}, ${where([])}`;
  const locate = (problems: readonly Problem[]): Problem[] =>
    problems.map(({ path, message }) => ({ path: `${file}, ${where(path.split('.'))}${path && `: ${path}`}`, message }));
  const reject = (problems: readonly Problem[]): RejectedRow => ({ id: usableId(content), source, problems: locate(problems) });
  const parsed = keyDocument.safeParse(content);
  if (!parsed.success) return reject(problemsOf(parsed.error.issues, content));
  const facts = factsOf(parsed.data);
  const problems = factsProblems(facts);
  return problems.length ? reject(problems) : { facts, source };
}

function factsOf({
  apiVersion: _version,
  kind: _kind,
  expires,
  overlap,
  destinations,
  consumers,
  ...same
}: z.output<typeof keyDocument>): KeyFacts {
  return {
    ...same,
    // Without a team, nobody else is known who could stand in.
    team: same.team ?? same.owner,
    destinations: destinations.map((one) => ({ ...one, environment: one.environment ?? same.environment })),
    consumers: consumers.map(({ refresh, deploy, ...one }) => ({
      ...one,
      refreshSeconds: refresh,
      ...(deploy === undefined ? {} : { deploySeconds: deploy }),
    })),
    expiresAt: expires === 'never' ? null : expires,
    overlapSeconds: overlap ?? null,
  };
}

function usableId(content: unknown): string | null {
  const given = typeof content === 'object' && content !== null ? Reflect.get(content, 'id') : undefined;
  return id.safeParse(given).success ? String(given) : null;
}
