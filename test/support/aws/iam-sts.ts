import { createHash, randomBytes } from 'node:crypto';
import { AwsError, type Call, type FakeService, serve } from './server.ts';
import { signerOf } from './sigv4.ts';

interface FakeAccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly userName: string;
  active: boolean;
  deleted: boolean;
  lastUsedAt: Date | undefined;
  /** STS calls that still meet the state before the last change. */
  behind: number;
}

export interface FakeIam extends FakeService {
  readonly users: Set<string>;
  /** Every key ever made, in order. */
  readonly keys: FakeAccessKey[];
  /** Inline policies, by `user/policy`. */
  readonly userPolicies: Map<string, string>;
  /** Every UpdateAccessKey that asked for Status Active. Nothing of ours ever does. */
  readonly enableCalls: Call[];
  /** Every request to STS: the key id that signed it, and the answer. */
  readonly stsLog: { readonly accessKeyId: string; readonly answer: 'ok' | string }[];
  readonly knobs: {
    /** STS calls that do not see a new key, or do not see that one was disabled or deleted, yet. */
    propagation: number;
    /** Entries of a page of ListAccessKeys. */
    pageSize: number;
    /** The next STS calls answer SignatureDoesNotMatch to a good signature. */
    falseSignatureErrors: number;
    /** The instant that last-used reports; IAM notes the first use in 15 minutes. */
    now: () => Date;
  };
  /** Adds a key for a user, as an administrator would in the console. */
  addKey(userName: string): FakeAccessKey;
}

/** IAM's access keys and STS's GetCallerIdentity after the API references, on one endpoint. */
export async function fakeIam(users: readonly string[]): Promise<FakeIam> {
  const fake = {
    users: new Set(users),
    keys: [] as FakeAccessKey[],
    userPolicies: new Map<string, string>(),
    enableCalls: [] as Call[],
    stsLog: [] as { accessKeyId: string; answer: 'ok' | string }[],
    knobs: { propagation: 0, pageSize: 100, falseSignatureErrors: 0, now: () => new Date('2026-01-02T03:04:05Z') },
    addKey(userName: string): FakeAccessKey {
      const secretAccessKey = randomBytes(30).toString('base64');
      const key = {
        accessKeyId: newId(),
        secretAccessKey,
        userName,
        active: true,
        deleted: false,
        lastUsedAt: undefined,
        behind: fake.knobs.propagation,
      };
      fake.keys.push(key);
      return key;
    },
  };

  const keysOf = (userName: unknown) => {
    if (!fake.users.has(String(userName))) throw new AwsError('NoSuchEntity', 'The user cannot be found.', 404);
    return fake.keys.filter((key) => key.userName === userName && !key.deleted);
  };
  const keyOf = ({ input }: Call) => {
    const key = keysOf(input.UserName).find(({ accessKeyId }) => accessKeyId === input.AccessKeyId);
    if (!key) throw new AwsError('NoSuchEntity', 'The Access Key cannot be found.', 404);
    return key;
  };

  const operations: Record<string, (call: Call) => string> = {
    CreateAccessKey({ input }) {
      // Inactive keys count.
      if (keysOf(input.UserName).length >= 2) throw new AwsError('LimitExceeded', 'Cannot exceed quota for AccessKeysPerUser: 2', 409);
      const key = fake.addKey(String(input.UserName));
      return result('CreateAccessKey', `<AccessKey>${metadata(key)}<SecretAccessKey>${key.secretAccessKey}</SecretAccessKey></AccessKey>`);
    },

    ListAccessKeys({ input }) {
      const from = Number(input.Marker ?? 0);
      const all = keysOf(input.UserName);
      const page = all.slice(from, from + fake.knobs.pageSize);
      const next = from + page.length;
      const more = next < all.length ? `<IsTruncated>true</IsTruncated><Marker>${next}</Marker>` : '<IsTruncated>false</IsTruncated>';
      return result(
        'ListAccessKeys',
        `<AccessKeyMetadata>${page.map((key) => `<member>${metadata(key)}</member>`).join('')}</AccessKeyMetadata>${more}`,
      );
    },

    UpdateAccessKey(call) {
      if (!['Active', 'Inactive'].includes(String(call.input.Status))) throw new AwsError('ValidationError');
      if (call.input.Status === 'Active') fake.enableCalls.push(call);
      const key = keyOf(call);
      const active = call.input.Status === 'Active';
      if (key.active !== active) key.behind = fake.knobs.propagation;
      key.active = active;
      return result('UpdateAccessKey', '');
    },

    DeleteAccessKey(call) {
      const key = keyOf(call);
      if (key.active) key.behind = fake.knobs.propagation;
      Object.assign(key, { deleted: true, active: false });
      return result('DeleteAccessKey', '');
    },

    PutUserPolicy({ input }) {
      keysOf(input.UserName);
      JSON.parse(String(input.PolicyDocument));
      fake.userPolicies.set(`${input.UserName}/${input.PolicyName}`, String(input.PolicyDocument));
      return result('PutUserPolicy', '');
    },

    GetAccessKeyLastUsed({ input }) {
      const key = fake.keys.find(({ accessKeyId, deleted }) => accessKeyId === input.AccessKeyId && !deleted);
      if (!key) throw new AwsError('AccessDenied', 'Not authorized.', 403);
      const used = key.lastUsedAt ? `<LastUsedDate>${key.lastUsedAt.toISOString()}</LastUsedDate>` : '';
      return result(
        'GetAccessKeyLastUsed',
        `<UserName>${key.userName}</UserName><AccessKeyLastUsed><Region>N/A</Region><ServiceName>N/A</ServiceName>${used}</AccessKeyLastUsed>`,
      );
    },

    GetCallerIdentity(call) {
      const signer = signerOf(call);
      if (!signer) throw new AwsError('MissingAuthenticationToken', 'Request is missing Authentication Token', 403);
      const answer = (code: string) => {
        fake.stsLog.push({ accessKeyId: signer.accessKeyId, answer: code });
        return code === 'ok' ? undefined : new AwsError(code, 'The request was refused.', 403);
      };
      const key = fake.keys.find(({ accessKeyId }) => accessKeyId === signer.accessKeyId);
      const lagging = key !== undefined && key.behind > 0;
      if (lagging) key.behind--;
      if (!key || key.active === lagging) throw answer('InvalidClientTokenId');
      const doubted = fake.knobs.falseSignatureErrors > 0;
      if (doubted) fake.knobs.falseSignatureErrors--;
      if (doubted || !signer.signedWith(key.secretAccessKey)) throw answer('SignatureDoesNotMatch');
      answer('ok');
      key.lastUsedAt = fake.knobs.now();
      const arn = `arn:aws:iam::123456789012:user/service/${key.userName}`;
      return result('GetCallerIdentity', `<Arn>${arn}</Arn><UserId>AIDATEST</UserId><Account>123456789012</Account>`, sts);
    },
  };

  const service = await serve('query', (call) => {
    const operation = operations[call.action];
    if (!operation) throw new AwsError('InvalidAction');
    return operation(call);
  });
  return Object.assign(service, fake);
}

const iam = 'https://iam.amazonaws.com/doc/2010-05-08/';
const sts = 'https://sts.amazonaws.com/doc/2011-06-15/';

function result(action: string, body: string, namespace = iam): string {
  return `<${action}Response xmlns="${namespace}"><${action}Result>${body}</${action}Result></${action}Response>`;
}

function metadata(key: FakeAccessKey): string {
  const status = key.active ? 'Active' : 'Inactive';
  return `<UserName>${key.userName}</UserName><AccessKeyId>${key.accessKeyId}</AccessKeyId><Status>${status}</Status><CreateDate>2026-01-01T00:00:00Z</CreateDate>`;
}

function newId(): string {
  const base32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  return `AKIA${[...createHash('sha256').update(randomBytes(16)).digest().subarray(0, 16)].map((byte) => base32[byte % 32]).join('')}`;
}
