import { fieldOf, jsonOf, leakedText, reportOf, type Sender, textAt } from './sender.ts';
import { isHmac } from './signature.ts';

/** What happened to an alert, that means that the string is out. `resolved` and `revoked` mean that somebody has dealt with it. */
const open = new Set(['created', 'reopened', 'publicly_leaked', 'validated']);

/**
 * GitHub's own secret scanning of the organisation's repositories: the webhook `secret_scanning_alert`
 * (docs.github.com/webhooks/webhook-events-and-payloads). Signed with the webhook's secret over the raw body.
 */
export const github: Sender = {
  name: 'github',

  async authenticate({ headers, raw }, secretOf) {
    const secret = await secretOf('github');
    const signature = /^sha256=(.*)$/.exec(headers['x-hub-signature-256'] ?? '')?.[1] ?? '';
    return secret && isHmac(signature, secret, raw) ? 'github' : undefined;
  },

  read(ports, { headers, raw }, sender) {
    if (headers['x-github-event'] !== 'secret_scanning_alert') return [];
    const body = jsonOf(raw);
    const secret = textAt(body, 'alert', 'secret');
    const action = textAt(body, 'action') ?? '';
    if (secret === undefined || !open.has(action)) return [];
    const repository = textAt(body, 'repository', 'full_name') ?? 'a repository';
    const number = fieldOf(body, 'alert', 'number');
    const type = textAt(body, 'alert', 'secret_type');
    const kind = textAt(body, 'alert', 'secret_type_display_name') ?? type ?? 'a secret';
    return [
      reportOf({
        source: 'leak',
        sender,
        eventId: `${repository}#${String(number)}/${action}`,
        subject: leakedText(ports, secret, type === undefined ? undefined : { scanner: 'github', name: type }),
        where: 'repository',
        own: true,
        says: `${kind} in ${repository}, alert ${String(number)} ${action}`,
        evidence: fieldOf(body, 'alert', 'html_url'),
        at: fieldOf(body, 'alert', action === 'created' ? 'created_at' : 'updated_at'),
      }),
    ];
  },
};
