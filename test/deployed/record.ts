import { randomUUID } from 'node:crypto';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import type { AuditEntry } from '../../core/audit.ts';
import type { WorkflowName } from '../../core/ports.ts';
import type { Begun } from '../../core/rotate/begin.ts';
import type { KeyReport } from '../../core/show.ts';
import { requests } from '../../requests/requests.ts';
import { pathOf } from '../../requests/routes.ts';
import type { Cloud } from './cloud.ts';
import type { ExecutionSeen } from './execution.ts';
import { until } from './until.ts';

/** One request of the operator to the HTTP API, without a process of the command line around it. Throws an Error with the refusal. */
export async function ask<T>(cloud: Cloud, request: string, input: object): Promise<T> {
  const { status, text } = await cloud.post(pathOf(request, requests[request]?.action ?? 'read'), input, cloud.operator);
  if (status !== 200) throw new Error(`${request} was answered ${status}: ${text.slice(0, 300)}`);
  return (JSON.parse(text) as { result: T }).result;
}

/** Waits until a key is active, on that version where one is named. */
export function active(cloud: Cloud, keyId: string, takesSeconds: number, version?: number): Promise<KeyReport> {
  const fits = ({ state, current }: KeyReport) => state === 'active' && (version === undefined || current === version);
  const look = async () => {
    const key = await ask<KeyReport>(cloud, 'key.show', { keyId });
    return fits(key) && key;
  };
  return until(`${keyId} is active${version === undefined ? '' : ` on version ${version}`}`, look, takesSeconds, 3);
}

/** The first entry of a key's audit with that event, of that operation where one is named. Throws an Error when it does not come, see `until`. */
export function recorded(cloud: Cloud, keyId: string, event: string, takesSeconds: number, operationId?: string): Promise<AuditEntry> {
  const fits = (entry: AuditEntry) => entry.event === event && (operationId === undefined || entry.detail['operation'] === operationId);
  const look = async () => (await ask<AuditEntry[]>(cloud, 'key.history', { keyId })).find(fits);
  return until(`${event} of ${keyId}`, look, takesSeconds, 3);
}

/** The operator has a key rotated, once that may begin. The request has a name, so that one whose answer was lost is the same again. Returns its operation. */
export async function rotated(cloud: Cloud, keyId: string): Promise<string> {
  const args = ['rotate', keyId, '--yes', '--reason', 'a journey', '--request-id', randomUUID()];
  const { operationId } = await until('a rotation may begin', () => cloud.rekey<Begun>(args), 40, 6);
  return operationId;
}

/** Where the first execution of an operation is. */
export function executionArn(cloud: Cloud, workflow: WorkflowName, operationId: string): string {
  return `${cloud.stateMachineArns[workflow].replace(':stateMachine:', ':execution:')}:${operationId}-r1`;
}

/** Waits until an execution has ended, however. */
export function ended(cloud: Cloud, arn: string, takesSeconds: number): Promise<ExecutionSeen> {
  const look = async () => {
    const seen = await cloud.execution(arn);
    return seen.status !== 'RUNNING' && seen;
  };
  return until('the execution has ended', look, takesSeconds);
}

/** What a secret holds now, by the rights of whoever runs the tests. */
export async function secretValue(cloud: Cloud, name: string): Promise<string> {
  return (await cloud.clients.secrets.send(new GetSecretValueCommand({ SecretId: name }))).SecretString ?? '';
}

/** Nothing rotates the key any more, however short its tier's period is here. */
export async function hold(cloud: Cloud, keyId: string): Promise<void> {
  const until = `${new Date(Date.now() + 12 * 3600 * 1000).toISOString().slice(0, 19)}Z`;
  await ask(cloud, 'hold', { keyId, until, reason: 'the journey is over' });
}

/** Throws an Error that names what was not seen. */
export function must(holds: unknown, what: string): asserts holds {
  if (!holds) throw new Error(`not seen: ${what}`);
}
