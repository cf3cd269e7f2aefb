import { ProviderRefused, ProviderUnavailable } from '../../core/errors.ts';
import type { Credential, Provider, ProviderAbout, ProviderTraits, Subject } from '../../core/ports.ts';
import { Value } from '../../core/value.ts';
import { type Answer, egress, type Outgoing } from './egress.ts';
import { opensshKey, publicLineOf } from './openssh-key.ts';

const traits: ProviderTraits = {
  pattern: 'additive',
  class: 'A',
  maxLive: 1000,
  countsDisabled: true,
  disable: 'delete',
  labelled: true,
  shared: true,
  keepsOne: false,
  lifetimeSeconds: null,
  activateSeconds: 60,
  revokeSeconds: 60,
  probe: { alive: 2, denied: 3, everySeconds: 10 },
  lastUsedAccuracySeconds: 86_400,
};

const page = 'https://docs.github.com/rest/deploy-keys/deploy-keys';
const on = '2026-11-28';

const about: ProviderAbout = {
  title: 'GitHub deploy keys',
  docs: [page],
  facts: [
    { about: ['create', 'list', 'delete'], is: 'documented', source: page, on },
    {
      about: ['probe'],
      is: 'documented',
      on,
      source: page,
      note: 'the public half of the value is looked for in GitHub’s own list of the repository; SSH is not spoken',
    },
    { about: ['lastUsed'], is: 'unverified', on, note: 'the field last_used is in the answers; how exact it is, is not said' },
    { about: ['limit', 'propagation'], is: 'unverified', on, note: 'neither is documented' },
  ],
  cannot: [
    'try a key at the SSH server: what GitHub lists is believed, so that death is proven by its list alone',
    'recognise a leaked key by its shape: every OpenSSH private key looks like this; the exact value is found by its fingerprint',
    'keep keys alive whose admin credential is a personal access token that is deleted: GitHub deletes the keys it made',
  ],
  aliases: {},
  params: {
    owner: { needed: true, description: 'The account or organisation that has the repository' },
    repo: { needed: true, description: 'The repository, without .git' },
    write: { needed: false, description: 'true lets the keys push; otherwise they only read' },
  },
  admin: { token: { needed: true, description: 'A token with the repository permission Administration: write' } },
};

export interface GithubDeployKeyOptions {
  /** The fields of an account's admin credential, read at each call. */
  readonly admin: (account: string) => Promise<Readonly<Record<string, Value>>>;
  readonly callSeconds: number;
  /** Sends a request; the guarded way out by default. */
  readonly send?: (outgoing: Outgoing, signal: AbortSignal) => Promise<Answer>;
}

/** One key as GitHub lists it. */
interface Listed extends Credential {
  readonly line: string;
  readonly lastUsed: string | undefined;
}

/** Deploy keys of one repository. The private half is ours and never leaves; GitHub gets the public half, by which a key is found again. */
export function githubDeployKeyProvider({ admin, callSeconds, send }: GithubDeployKeyOptions): Provider {
  const call = send ?? egress({ hosts: ['api.github.com'], allowLoopback: false });

  async function ask(subject: Subject, method: string, path: string, signal: AbortSignal, content?: object): Promise<Answer> {
    const { owner, repo } = placeOf(subject);
    const token = (await admin(subject.account))['token'];
    if (!token) throw new ProviderRefused(`the admin credential ${subject.account} of github-deploy-key has no field token`);
    const url = new URL(`https://api.github.com/repos/${encodeURIComponent(owner)}/${encodeURIComponent(repo)}/keys${path}`);
    const headers = {
      ...{ accept: 'application/vnd.github+json', 'user-agent': 'rekey', 'x-github-api-version': '2022-11-28' },
      authorization: `Bearer ${token.reveal()}`,
      ...(content && { 'content-type': 'application/json' }),
    };
    const answer = await call({ method, url, headers, ...(content && { body: JSON.stringify(content) }) }, signal);
    throwIfNone(answer, method);
    return answer;
  }

  async function all(subject: Subject, signal = AbortSignal.timeout(callSeconds * 1000)): Promise<Listed[]> {
    const found: Listed[] = [];
    for (let number = 1; ; number++) {
      const { status, json } = await ask(subject, 'GET', `?per_page=100&page=${number}`, signal);
      if (status !== 200)
        throw new ProviderRefused(`github-deploy-key list: status ${status}, the admin credential may not see the repository`);
      if (!Array.isArray(json)) throw new ProviderUnavailable('github-deploy-key list: the answer is no list');
      found.push(...json.map(entryOf));
      if (json.length < 100) return found;
    }
  }

  const holding = async (subject: Subject, value: Value) => {
    const line = lineOf(value);
    return (await all(subject)).find((one) => one.line === line);
  };

  /** 404 is also what GitHub says to a credential that may not: gone is only what its list shows as gone. */
  async function remove(subject: Subject, credentialId: string): Promise<boolean> {
    const signal = AbortSignal.timeout(callSeconds * 1000);
    const { status } = await ask(subject, 'DELETE', `/${encodeURIComponent(credentialId)}`, signal);
    if (status === 204) return true;
    if (status === 404 && !(await all(subject, signal)).some((one) => one.credentialId === credentialId)) return false;
    throw new ProviderRefused(`github-deploy-key delete: status ${status}`);
  }

  return {
    name: 'github-deploy-key',
    traits,
    about,
    draw,
    neverIssued: draw,

    async create(subject, label, minting) {
      const value = minting?.value;
      if (!value) throw new ProviderRefused('github-deploy-key takes the value from us, and there is none');
      const content = { title: label, key: lineOf(value), read_only: subject.params['write'] !== true };
      const { status, json } = await ask(subject, 'POST', '', AbortSignal.timeout(callSeconds * 1000), content);
      if (status === 201) {
        const { id } = json as { id?: unknown };
        if (typeof id !== 'number') throw new ProviderUnavailable('github-deploy-key create: status 201 without an id');
        return { credentialId: String(id), value };
      }
      // "key is already in use": by an earlier attempt of ours, or in another repository.
      const before = status === 422 ? await holding(subject, value) : undefined;
      if (!before) throw new ProviderRefused(`github-deploy-key create: status ${status}`);
      return { credentialId: before.credentialId, value };
    },

    find: async (subject, value) => (await holding(subject, value))?.credentialId,

    list: async (subject) => (await all(subject)).map(({ line: _line, lastUsed: _used, ...credential }) => credential),

    async probe(subject, value) {
      try {
        const found = await holding(subject, value);
        if (!found) return { verdict: 'denied', detail: 'the repository has no such key' };
        return found.enabled
          ? { verdict: 'alive', detail: `listed as ${found.credentialId}` }
          : { verdict: 'denied', detail: 'listed, and switched off' };
      } catch (error) {
        return { verdict: 'inconclusive', detail: (error as Error).message };
      }
    },

    disable: async (subject, credentialId) => ((await remove(subject, credentialId)) ? 'disabled' : 'gone'),
    delete: async (subject, credentialId) => ((await remove(subject, credentialId)) ? 'deleted' : 'gone'),

    async lastUsed(subject, credentialId) {
      const found = (await all(subject)).find((one) => one.credentialId === credentialId);
      return found && { at: found.lastUsed ?? 'never', accuracySeconds: traits.lastUsedAccuracySeconds ?? 0 };
    },

    /** As it stands in a file, without the last line's end, and as somebody pastes it in one line. */
    leakForms: (value) => {
      const text = value.reveal();
      return [value, new Value(text.trim()), new Value(text.replace(/-----[A-Z ]+-----|\s/g, ''))];
    },
  };
}

function draw(random: string): Value {
  return new Value(opensshKey(random));
}

function lineOf(value: Value): string {
  const line = publicLineOf(value.reveal());
  if (line === undefined) throw new ProviderRefused('github-deploy-key: the value is no OpenSSH private key');
  return line;
}

function entryOf(entry: unknown): Listed {
  const { id, title, key, enabled, created_at, last_used } = entry as Record<string, unknown>;
  if (typeof id !== 'number' || typeof key !== 'string')
    throw new ProviderUnavailable('github-deploy-key list: an entry without id or key');
  const instant = (given: unknown) =>
    typeof given === 'string' && !Number.isNaN(Date.parse(given)) ? new Date(given).toISOString() : undefined;
  const createdAt = instant(created_at);
  return {
    credentialId: String(id),
    ...(typeof title === 'string' && title !== '' ? { label: title } : {}),
    // Anything that is not plainly off counts as on.
    enabled: enabled !== false,
    ...(createdAt === undefined ? {} : { createdAt }),
    // A comment may follow the two words.
    line: key.split(' ').slice(0, 2).join(' '),
    lastUsed: instant(last_used),
  };
}

/** Throws where nobody can say what became of the call, or where the admin credential is not good for it. */
function throwIfNone({ status, headers }: Answer, method: string): void {
  const what = `github-deploy-key ${method}: status ${status}`;
  const wait = /^\d{1,5}$/.exec(String(headers['retry-after'] ?? ''))?.[0];
  const limited = status === 429 || (status === 403 && (wait !== undefined || headers['x-ratelimit-remaining'] === '0'));
  if (limited) throw new ProviderUnavailable(`${what}, asked to slow down`, wait === undefined ? undefined : Math.min(3600, Number(wait)));
  if (status === 408 || status >= 500) throw new ProviderUnavailable(what);
  if (status === 401 || status === 403) throw new ProviderRefused(`${what}, the admin credential was refused`);
}

function placeOf({ keyId, params }: Subject): { owner: string; repo: string } {
  const of = (name: string, allowed: RegExp) => {
    const text = params[name];
    if (typeof text === 'string' && allowed.test(text) && !/^\.+$/.test(text)) return text;
    throw new ProviderRefused(`${keyId}: params.${name} is not one of GitHub's`);
  };
  return { owner: of('owner', /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})$/), repo: of('repo', /^[\w.-]{1,100}$/) };
}
