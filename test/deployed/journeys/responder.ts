import { CreateSecretCommand } from '@aws-sdk/client-secrets-manager';
import { SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import type { AuditEntry } from '../../../core/audit.ts';
import { pathOf } from '../../../requests/routes.ts';
import type { Cloud } from '../cloud.ts';
import type { Journey, Tell } from '../journey.ts';
import { keyFile } from '../key-file.ts';
import type { Principal } from '../principals.ts';
import { active, ask, ended, must, recorded, secretValue } from '../record.ts';
import { until } from '../until.ts';

/** What somebody with the responders' policy alone can do, by the command line and with nothing but the AWS console; and what not. */
export const journey: Journey = {
  letter: 'c',
  title: 'a responder ends a leaked key with only the responders’ policy, and can do nothing else',
  needs: ['functions', 'error-names', 'http-api', 'iam-enforced', 'signatures', 'sns-filter', 'transactions', 'secret-labels', 'vendor'],
  async run(cloud, tell) {
    const responder = await cloud.principal('responder');
    await Promise.all([byCommandLine(cloud, tell, responder), byBareExecution(cloud, tell, responder)]);
  },
};

async function byCommandLine(cloud: Cloud, tell: Tell, responder: Principal): Promise<void> {
  const { keyId, secret, leaked } = await issuedKey(cloud, 'leaked');
  const notices = await cloud.subscribe('leaked', { key: [keyId] });

  const { status } = await cloud.post(pathOf('rotate', 'rotate'), { keyId, reason: 'not mine to ask' }, responder);
  must(status === 403, `an operator's action is refused with 403 (it was ${status})`);
  const refused = await cloud.cli(['rotate', keyId, '--yes'], { as: responder });
  must(refused.code === 4 && refused.json.error?.code === 'E_FORBIDDEN', `the command line ends with 4, E_FORBIDDEN (${refused.code})`);
  tell('rotate: 403, and E_FORBIDDEN from the command line');

  const found = ['--leaked', '-', '--source', 'repository', '--reason', 'found in a public repository', '--confirm', keyId];
  const answer = await cloud.cli(['revoke', ...found, '--timeout', '300'], { as: responder, input: leaked });
  must(answer.code === 0, `the command ends with 0 (${answer.code}: ${JSON.stringify(answer.json.error)})`);
  const told = await notices.hear('the leak is told', ({ type }) => type === 'dev.rekey.key.revoked.v1', 30);
  must(told.data['action'] === 'stop-using', 'subscribers are told to stop using it');
  await proven(cloud, tell, { keyId, secret, leaked, by: responder.arn, version: 1 });
  await notices.hear('the reissue is told', ({ type }) => type === 'dev.rekey.key.reissued.v1', 30);
}

async function byBareExecution(cloud: Cloud, tell: Tell, responder: Principal): Promise<void> {
  const { keyId, secret, leaked } = await issuedKey(cloud, 'bare');
  const sfn = new SFNClient({ credentials: responder.credentials, maxAttempts: 1 });
  const start = (stateMachineArn: string) =>
    sfn.send(new StartExecutionCommand({ stateMachineArn, input: JSON.stringify({ keyId, source: 'repository' }) }));
  const refusal = await start(cloud.stateMachineArns.rotate).catch((error: Error) => error.name);
  must(refusal === 'AccessDeniedException', 'a responder cannot start the other state machine');

  const { executionArn = '' } = await start(cloud.stateMachineArns.revoke);
  const bare = await ended(cloud, executionArn, 60);
  must(bare.status === 'SUCCEEDED', `the bare execution hands over and succeeds (${bare.status} ${bare.error})`);
  await proven(cloud, tell, { keyId, secret, leaked, by: executionArn, version: 1 });
  tell('StartExecution with a key’s id alone: the same, recorded as the execution, whose caller CloudTrail names');
}

/** The revocation's whole record, and what the vendor says of both versions. */
async function proven(
  cloud: Cloud,
  tell: Tell,
  { keyId, secret, leaked, by, version }: { keyId: string; secret: string; leaked: string; by: string; version: number },
): Promise<void> {
  await recorded(cloud, keyId, 'revocation.closed', 150);
  const entries = await ask<AuditEntry[]>(cloud, 'key.history', { keyId });
  const order = ['revocation.requested', 'revocation.disabled', 'revocation.notified', 'revocation.contained', 'revocation.closed'];
  const steps = order.map((event) => entries.find((entry) => entry.event === event));
  for (const [index, step] of steps.entries()) must(step, `${order[index]} is on record`);
  must(steps[0]?.actor.includes(by), `the record says that ${by} asked, and not ${steps[0]?.actor}`);
  const seconds = steps.map((step) => ((Date.parse(step!.at) - Date.parse(steps[0]!.at)) / 1000).toFixed(1));

  const key = await active(cloud, keyId, 30);
  const dead = key.versions.find(({ number }) => number === version);
  must(dead?.state === 'disabled' && dead.compromised, `version ${version} is disabled and compromised (${dead?.state})`);
  must(key.auditBreak === null, 'the audit chain holds');
  const { vendor } = cloud;
  must((await vendor.ask('GET', '/v1/work', leaked)) === 401, 'the vendor refuses the leaked value');
  must(
    (await vendor.ask('GET', '/v1/work', await secretValue(cloud, secret))) === 200,
    'the vendor takes the value that was issued instead',
  );
  tell(`${keyId}: asked, disabled +${seconds[1]} s, told +${seconds[2]} s, proven dead +${seconds[3]} s, issued again +${seconds[4]} s`);
}

async function issuedKey(cloud: Cloud, name: string) {
  const [keyId, secret] = [`responder/${name}`, `${cloud.stage}/responder-${name}`];
  await cloud.clients.secrets.send(new CreateSecretCommand({ Name: secret }));
  await cloud.addKey(
    keyFile({ id: keyId, tier: 'medium', provider: 'incidents', params: { principal: `${cloud.stage}-${name}` }, secret }),
  );
  await active(cloud, keyId, 120, 1);
  const leaked = await until('its value is delivered', () => secretValue(cloud, secret), 10);
  return { keyId, secret, leaked };
}
