/** What an event is evidence of: who may use a key, how it came to change, or what was done in an emergency. */
export const groups = ['access', 'change', 'incident'] as const;
export type Group = (typeof groups)[number];

/** THE TABLE of events by their first word, or by their whole name where one of the family is about something else (POL-G1). */
const groupOf: Readonly<Record<string, Group>> = {
  attempt: 'change',
  attention: 'change',
  breach: 'change',
  'break-glass': 'incident',
  bulk: 'incident',
  confirm: 'change',
  destination: 'change',
  effect: 'change',
  escalation: 'incident',
  exception: 'access',
  hold: 'change',
  incident: 'incident',
  inventory: 'change',
  key: 'access',
  'key.changed': 'change',
  'key.derived': 'change',
  mint: 'change',
  operation: 'change',
  orphan: 'incident',
  policy: 'change',
  receipt: 'access',
  reconciler: 'change',
  reissue: 'incident',
  reminder: 'change',
  report: 'incident',
  review: 'access',
  revocation: 'incident',
  rotation: 'change',
  schedule: 'change',
  sessions: 'incident',
  unmanaged: 'incident',
  use: 'access',
  version: 'change',
  'version.alive-again': 'incident',
  'version.still-dead': 'incident',
  'version.used': 'access',
  versions: 'incident',
};

/** The group of an event; undefined for one that the table does not know. */
export function groupOfEvent(event: string): Group | undefined {
  return groupOf[event] ?? groupOf[event.split('.')[0] ?? ''];
}
