import type { KeyFacts } from './key.ts';

/** What a person does so that AWS rotates a key now (managedBy: secretsmanager). */
export function rotateAtAws({ destinations: [spec] }: Pick<KeyFacts, 'destinations'>): string {
  return `aws secretsmanager rotate-secret --secret-id ${spec?.at ?? ''}`;
}
