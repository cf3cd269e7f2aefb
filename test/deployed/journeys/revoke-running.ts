import { setTimeout as pause } from 'node:timers/promises';
import { CreateSecretCommand } from '@aws-sdk/client-secrets-manager';
import type { Cloud } from '../cloud.ts';
import type { Journey, Tell } from '../journey.ts';
import { keyFile } from '../key-file.ts';
import { active, ended, executionArn, must, recorded, rotated, secretValue } from '../record.ts';
import { startService } from '../service.ts';
import { until } from '../until.ts';

/** Both halves at once, each with a key of its own. */
export const journey: Journey = {
  letter: 'e',
  title: 'a revocation takes the key from a running rotation, during the overlap and while Confirm waits',
  needs: ['functions', 'error-names', 'http-api', 'iam-enforced', 'task-tokens', 'transactions', 'sns-filter', 'secret-labels', 'vendor'],
  async run(cloud, tell) {
    await Promise.all([revokeAt(cloud, tell, 'Overlap'), revokeAt(cloud, tell, 'Confirm')]);
  },
};

/** The service of the second key never proves anything, so that Confirm waits for it. */
async function revokeAt(cloud: Cloud, tell: Tell, state: 'Overlap' | 'Confirm'): Promise<void> {
  const { stage, vendor, clients } = cloud;
  const name = `revoke-${state.toLowerCase()}`;
  const [keyId, secret, principal] = [`journeys/${name}`, `${stage}/${name}`, `${stage}-${name}`];
  await clients.secrets.send(new CreateSecretCommand({ Name: secret }));
  const service = await startService(cloud, { name: `service-e-${state.toLowerCase()}`, keyId, secret });
  if (state === 'Confirm') await service.stop();
  const responder = await cloud.principal('responder', { name: `responder-e-${state.toLowerCase()}` });
  const overlap = state === 'Overlap' ? 'PT40S' : 'PT12S';
  await cloud.addKey(
    keyFile({ id: keyId, tier: 'medium', provider: 'incidents', params: { principal }, secret, service: service.name, overlap }),
  );
  await active(cloud, keyId, 90, 1);
  const values = [await secretValue(cloud, secret)];
  const operationId = await rotated(cloud, keyId);
  const arn = executionArn(cloud, 'rotate', operationId);
  await until(`the rotation is in ${state}`, async () => (await cloud.execution(arn)).states.at(-1) === state, 90);
  // Its function stores the token that the workflow waits on.
  if (state === 'Confirm') await pause(5000);
  values.push(await secretValue(cloud, secret));
  must(new Set(values).size === 2, 'the destination holds version 2');

  const began = Date.now();
  const args = ['revoke', keyId, '--source', 'chat', '--reason', 'seen in a chat', '--confirm', keyId, '--no-wait'];
  const { operationId: revocation } = await cloud.rekey<{ operationId: string }>(args, responder);
  const statuses = await Promise.all(values.map((value) => vendor.ask('GET', '/v1/work', value)));
  must(
    statuses.every((status) => status === 401),
    `both values are refused when the request has its answer (${statuses.join(', ')})`,
  );
  const contained = await recorded(cloud, keyId, 'revocation.contained', 120, revocation);
  tell(`${state}: both values dead in the request itself, contained after ${Math.round((Date.parse(contained.at) - began) / 1000)} s`);
  const superseded = await recorded(cloud, keyId, 'rotation.superseded', 10, operationId);
  must(superseded.detail['by'] === revocation, 'the record names what took the key');
  const execution = await ended(cloud, arn, 60);
  must(
    execution.status === 'SUCCEEDED' && execution.states.at(-1) === 'Superseded',
    `it ended as superseded (${execution.states.join(' ')})`,
  );
  must(!execution.states.includes('RollBack'), 'it rolled nothing back');
  await active(cloud, keyId, 120, 3);
  must((await vendor.ask('GET', '/v1/work', await secretValue(cloud, secret))) === 200, 'the reissued version works at the destination');
  tell(`${state}: the rotation ended as Superseded, version 3 was issued and works`);
  if (state === 'Overlap') await service.stop();
}
