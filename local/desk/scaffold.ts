import { Refused } from '../../core/errors.ts';

/** What has to be known of a vendor to begin with. */
export interface Beginning {
  readonly id: string;
  readonly title: string;
  /** The API's origin, like https://api.acme.example. */
  readonly base: string;
  /** The page that describes the vendor's key API. */
  readonly docs: string;
  /** The header that carries a key; a Bearer token in Authorization when it is not said. */
  readonly header?: string;
  /** Today, as YYYY-MM-DD. */
  readonly on: string;
}

/**
 * A spec to begin with: complete, so that it can be linted and tested at once, for a vendor with the plainest API there is. What has to be
 * compared with the real vendor's documentation says EDIT. Throws Refused E_INPUT_INVALID for a beginning that no spec could have.
 */
export function scaffold({ id, title, base, docs, header, on }: Beginning): string {
  const url = URL.parse(base);
  const problems = [
    ...(/^[a-z0-9]+(-[a-z0-9]+)*$/.test(id) && id.length <= 40
      ? []
      : [{ path: 'id', message: 'must be words of a–z and 0–9 joined by "-", like acme-mail' }]),
    ...(url?.protocol === 'https:' && url.origin === base
      ? []
      : [{ path: 'base', message: 'must be an origin only, like https://api.acme.example' }]),
    ...(URL.canParse(docs) ? [] : [{ path: 'docs', message: 'must be the address of a page' }]),
    ...(header === undefined || /^[A-Za-z][\w-]*$/.test(header)
      ? []
      : [{ path: 'header', message: 'must be the name of a header, like X-Api-Key' }]),
    ...(/^[^'\n#:]{1,80}$/.test(title) ? [] : [{ path: 'title', message: 'must be one short line' }]),
  ];
  if (problems.length || !url) throw new Refused('E_INPUT_INVALID', 'a spec cannot begin like this', problems);
  const scheme = (slot: string) =>
    header ? `{ scheme: header, headers: { ${header}: '${slot}' } }` : `{ scheme: bearer, token: '${slot}' }`;
  const sent = (value: string) => (header ? `{ ${header}: ${value} }` : `{ Authorization: Bearer ${value} }`);
  const admin = `headers: ${sent('admin-apiKey')}`;
  return `# ${title}: keys made beside each other, deleted by id.
apiVersion: rekey/v1
kind: Provider
metadata:
  id: ${id}
  title: ${title}
  docs: ['${docs}']
  facts:
    - about: [create, list, probe, delete]
      is: unverified # EDIT: documented, and the page under source
      on: ${on}
    - about: [limit, propagation]
      is: unverified
      on: ${on}
lifecycle:
  pattern: additive
  maxLive: 10 # EDIT: how many keys there can be at once
  countsDisabled: true
  expiry: none
  propagation: { activate: PT1M, revoke: PT5M }
  fake: '{{random|hex:40}}' # EDIT: a value of the vendor's shape that was never issued
inputs:
  params:
    type: object
    properties:
      scopes: { type: array, description: What the key may do; the same for every version }
  admin:
    type: object
    required: [apiKey]
    properties:
      apiKey: { type: string, description: 'A key that may create, list and delete keys' }
egress: [${url.hostname}]
base: { default: '${base}' }
auth:
  admin: ${scheme('{{admin.apiKey}}')}
  subject: ${scheme('{{key.secret}}')}
operations:
  create:
    auth: admin
    steps:
      - id: create
        request: { method: POST, url: '{{base}}/v1/keys', json: { name: '{{key.label}}', scopes: '{{params.scopes}}' } } # EDIT
        expect: { status: [201] }
        outputs:
          id: { pointer: /id } # EDIT
          value: { pointer: /value, sensitive: true } # EDIT
    credentialId: '{{create.id}}'
    value: '{{create.value}}'
  list:
    auth: admin
    steps:
      - id: list
        request: { method: GET, url: '{{base}}/v1/keys' } # EDIT
        expect: { status: [200] }
    of: account # EDIT: principal, if it shows the keys of one owner only
    items: /keys # EDIT
    each: { credentialId: /id, label: /name, enabled: always } # EDIT
    page: none # EDIT: how the vendor gives the next page
  probe:
    auth: subject
    steps:
      - id: me
        request: { method: GET, url: '{{base}}/v1/me' } # EDIT: a cheap call that any key may make
    verdict:
      alive: [{ status: [200], present: [/id] }] # EDIT: something that only this vendor's answer has
      denied: [{ status: [401] }] # EDIT: how a dead key is answered
    require: { alive: 2, denied: 3, every: PT10S }
  disable: delete
  delete:
    auth: admin
    steps:
      - id: delete
        request: { method: DELETE, url: '{{base}}/v1/keys/{{key.credentialId|uri}}' } # EDIT
        expect: { status: [204], treatAsDone: [404] }
errors:
  - { when: { status: [401, 403] }, class: adminDenied }
  - { when: { status: [429] }, class: throttled, retryAfter: { header: retry-after } }
fixtures:
  - name: a key is created
    operation: create
    given: { admin: { apiKey: admin-apiKey }, params: { scopes: [read] }, label: rekey-example }
    exchanges:
      - request: { method: POST, url: '${base}/v1/keys', ${admin}, json: { name: rekey-example, scopes: [read] } } # EDIT
        response: { status: 201, json: { id: k1, name: rekey-example, value: example-value } } # EDIT: as the documentation shows it
    result: { credentialId: k1, value: example-value }
  - name: the keys are listed
    operation: list
    given: { admin: { apiKey: admin-apiKey } }
    exchanges:
      - request: { method: GET, url: '${base}/v1/keys', ${admin} } # EDIT
        response: { status: 200, json: { keys: [{ id: k0, name: made by hand }, { id: k1, name: rekey-example }] } } # EDIT
    result:
      credentials:
        - { credentialId: k0, enabled: true, label: made by hand }
        - { credentialId: k1, enabled: true, label: rekey-example }
  - name: a key is alive
    operation: probe
    given: { secret: example-value }
    exchanges:
      - request: { method: GET, url: '${base}/v1/me', headers: ${sent('example-value')} } # EDIT
        response: { status: 200, json: { id: u1 } } # EDIT
    result: { verdict: alive }
  - name: a key is denied
    operation: probe
    given: { secret: example-value }
    exchanges:
      - request: { method: GET, url: '${base}/v1/me', headers: ${sent('example-value')} } # EDIT
        response: { status: 401, json: { error: unauthorized } } # EDIT
    result: { verdict: denied }
  - name: a broken vendor says nothing
    operation: probe
    given: { secret: example-value }
    exchanges:
      - request: { method: GET, url: '${base}/v1/me' } # EDIT
        response: { status: 503 }
    result: { verdict: inconclusive }
  - name: a key is deleted
    operation: delete
    given: { admin: { apiKey: admin-apiKey }, credentialId: k1 }
    exchanges:
      - request: { method: DELETE, url: '${base}/v1/keys/k1', ${admin} } # EDIT
        response: { status: 204 }
    result: { answer: deleted }
  - name: a key that is gone is deleted
    operation: delete
    given: { admin: { apiKey: admin-apiKey }, credentialId: k1 }
    exchanges:
      - request: { method: DELETE, url: '${base}/v1/keys/k1' } # EDIT
        response: { status: 404, json: { error: not found } } # EDIT
    result: { answer: gone }
`;
}
