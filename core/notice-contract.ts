/**
 * THE CONTRACT of the notices: every type with what it says, and every field with its shape, as plain data. The types of the code, the JSON
 * Schemas, the AsyncAPI document and the examples (docs/events) are all made from it. Nothing here is read at run time.
 *
 * A type's meaning never changes under its name: another meaning is another version, `dev.rekey.key.issued.v2`.
 */
export const noticeFields = {
  action: {
    enum: ['refresh', 'stop-using', 'none', 'look'],
    description: 'What to do: read the value again and prove it; stop using it at once; nothing; or have a person look.',
  },
  version: {
    type: 'integer',
    description: 'The version to use now. It only grows, but for a rollback: key.restored names an older one, later.',
  },
  previousValidUntil: { type: 'string', description: 'Until when the version before is accepted at least (an instant in UTC).' },
  destinations: {
    type: 'array',
    description: 'Where to read the value; a service reads the one that it may read.',
    items: {
      type: 'object',
      properties: {
        id: { type: 'string', description: 'The name of the place in the key file.' },
        kind: { type: 'string', description: 'What `at` means: secrets-manager, ssm-parameter, local-file, …' },
        at: { type: 'string', description: 'A name, an ARN or a path.' },
        secret: {
          type: 'object',
          description: 'In Secrets Manager: the ARN and the VersionId of exactly this version.',
          properties: { arn: { type: 'string' }, versionId: { type: 'string' } },
          required: ['arn', 'versionId'],
        },
      },
      required: ['id', 'kind', 'at'],
    },
  },
  nonce: { type: 'string', description: 'The challenge: answered once, with an HMAC keyed by the value (docs/events/README.md).' },
  dueAt: { type: 'string', description: 'When the rotation is due (an instant in UTC).' },
  endsAt: { type: 'string', description: 'When the overlap reaches its cap (an instant in UTC).' },
  atEnd: {
    enum: ['hold', 'roll-back', 'retire'],
    description:
      'What happens then with whoever has not proved its move: both versions stay and a person is called; all go back; or the old one is retired anyway.',
  },
  reason: { type: 'string', description: 'Why, in a sentence.' },
} as const;

type Field = keyof typeof noticeFields;

interface TypeContract {
  /** What it says, and what a service does about it. */
  readonly says: string;
  /** `each`: one to every consumer; `everybody`: one for whoever watches the key, with the audience `*`. */
  readonly to: readonly ('each' | 'everybody')[];
  readonly severity: readonly ('info' | 'warning' | 'critical')[];
  readonly action: readonly (typeof noticeFields)['action']['enum'][number][];
  /** Fields that are always there, and those that may be. */
  readonly always: readonly Field[];
  readonly perhaps: readonly Field[];
}

export const noticeContract = {
  'key.rotation.scheduled': {
    says: 'The key comes due soon. Nothing has changed yet.',
    to: ['each', 'everybody'],
    severity: ['info'],
    action: ['none'],
    always: ['dueAt'],
    perhaps: ['version', 'reason'],
  },
  'key.issued': {
    says: 'A new version is at every destination. Read it, use it, and answer the challenge.',
    to: ['each', 'everybody'],
    severity: ['info'],
    action: ['refresh'],
    always: ['version', 'destinations'],
    perhaps: ['previousValidUntil', 'nonce'],
  },
  'key.overlap.ending': {
    says: 'The overlap is about to reach its cap and this consumer has not proved that it moved. Its challenge is a new one; an older one still counts.',
    to: ['each'],
    severity: ['warning'],
    action: ['refresh'],
    always: ['version', 'destinations', 'nonce', 'endsAt', 'atEnd'],
    perhaps: [],
  },
  'key.receipt.missing': {
    says: 'The overlap is at its cap. To a consumer: prove that you moved. To everybody: who has not, and that both versions stay alive.',
    to: ['each', 'everybody'],
    severity: ['warning'],
    action: ['refresh', 'look'],
    always: ['version'],
    perhaps: ['destinations', 'nonce', 'reason'],
  },
  'key.retired': {
    says: 'The rotation is over: the version before is dead. Nothing to do but to forget it.',
    to: ['each', 'everybody'],
    severity: ['info'],
    action: ['none'],
    always: ['version'],
    perhaps: [],
  },
  'key.restored': {
    says: 'The rotation is taken back: the version before is at every destination again. Read it, use it, and answer the challenge.',
    to: ['each', 'everybody'],
    severity: ['warning'],
    action: ['refresh'],
    always: ['version', 'destinations', 'reason'],
    perhaps: ['nonce'],
  },
  'key.rotation.failed': {
    says: 'The rotation was taken back and is over; the key keeps its version.',
    to: ['everybody'],
    severity: ['warning'],
    action: ['look'],
    always: ['reason'],
    perhaps: ['version'],
  },
  'key.revoked': {
    says: 'EMERGENCY. The key is compromised and is refused from now on: stop using it at once. With a version, that one is clean: read it.',
    to: ['each', 'everybody'],
    severity: ['critical'],
    action: ['stop-using'],
    always: [],
    perhaps: ['version', 'reason', 'destinations'],
  },
  'key.revocation.started': {
    says: 'EMERGENCY. A revocation has begun. Whoever uses the key hears what to do in key.revoked.',
    to: ['everybody'],
    severity: ['critical'],
    action: ['look'],
    always: ['reason'],
    perhaps: [],
  },
  'key.revocation.incomplete': {
    says: 'EMERGENCY. The key was revoked, and the vendor may still accept it. A person is called.',
    to: ['everybody'],
    severity: ['critical'],
    action: ['look'],
    always: ['reason'],
    perhaps: [],
  },
  'key.contained': {
    says: 'Every revoked version was seen refused by the vendor.',
    to: ['everybody'],
    severity: ['warning'],
    action: ['none'],
    always: ['reason'],
    perhaps: [],
  },
  'key.reissued': {
    says: 'After a revocation a new version is at every destination. Read it, use it, and answer the challenge.',
    to: ['each', 'everybody'],
    severity: ['info', 'warning'],
    action: ['refresh', 'none'],
    always: ['version'],
    perhaps: ['destinations', 'nonce', 'reason'],
  },
  'key.approval': {
    says: 'A planned revocation waits for somebody to approve it. Nothing for a service to do.',
    to: ['everybody'],
    severity: ['warning'],
    action: ['look'],
    always: ['reason'],
    perhaps: [],
  },
  'key.review': {
    says: 'A person is asked to answer a question about the key, or has not. Nothing for a service to do.',
    to: ['everybody'],
    severity: ['info', 'warning', 'critical'],
    action: ['look'],
    always: ['reason'],
    perhaps: [],
  },
  'key.attention': {
    says: 'A person should look at the key. Nothing for a service to do.',
    to: ['everybody'],
    severity: ['info', 'warning', 'critical'],
    action: ['look', 'none'],
    always: ['reason'],
    perhaps: [],
  },
} as const satisfies Record<string, TypeContract>;

export type NoticeType = keyof typeof noticeContract;

/** The TypeScript of a field's shape. */
type Shaped<S> = S extends { readonly enum: readonly (infer E)[] }
  ? E
  : S extends { readonly type: 'integer' }
    ? number
    : S extends { readonly type: 'string' }
      ? string
      : S extends { readonly type: 'array'; readonly items: infer I }
        ? readonly Shaped<I>[]
        : S extends { readonly properties: infer P; readonly required: readonly (infer R)[] }
          ? { readonly [K in keyof P as K extends R ? K : never]: Shaped<P[K]> } & {
              readonly [K in keyof P as K extends R ? never : K]?: Shaped<P[K]>;
            }
          : never;

type FieldOf<F> = F extends Field ? Shaped<(typeof noticeFields)[F]> : never;

/** What a notice of one type carries. */
export type NoticeDataOf<T extends NoticeType> = { readonly action: (typeof noticeContract)[T]['action'][number] } & {
  readonly [F in (typeof noticeContract)[T]['always'][number]]: FieldOf<F>;
} & { readonly [F in (typeof noticeContract)[T]['perhaps'][number]]?: FieldOf<F> };

/** What some notice carries: every field that there is. */
export type NoticeData = { readonly action: FieldOf<'action'> } & { readonly [F in Exclude<Field, 'action'>]?: FieldOf<F> };

/** How a type may be sent. */
export type SeverityOf<T extends NoticeType> = (typeof noticeContract)[T]['severity'][number];
