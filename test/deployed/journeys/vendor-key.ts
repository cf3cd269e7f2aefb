import { CreateSecretCommand, DescribeSecretCommand } from '@aws-sdk/client-secrets-manager';
import { operationIdOf } from '../../../core/items.ts';
import { sha256 } from '../../../local/sandbox/credentials.ts';
import { firingSeconds } from '../firings.ts';
import type { Journey } from '../journey.ts';
import { keyFile } from '../key-file.ts';
import { active, executionArn, hold, must, recorded } from '../record.ts';
import { startService } from '../service.ts';
import { secondsTo, until } from '../until.ts';

/** From the first version to the death of it, with nobody asking for anything in between. */
export const journey: Journey = {
  letter: 'b',
  title: "a vendor's key, over HTTPS: the schedule rotates it while its service works, and the old value is refused",
  needs: ['functions', 'error-names', 'http-api', 'scheduler', 'task-tokens', 'transactions', 'sns-filter', 'secret-labels', 'vendor'],
  async run(cloud, tell) {
    const { clients, stage, vendor } = cloud;
    const keyId = 'journeys/vendor';
    const secret = `${stage}/vendor`;
    await clients.secrets.send(new CreateSecretCommand({ Name: secret }));
    const service = await startService(cloud, { name: 'service-b', keyId, secret });
    const work = async () => vendor.ask('GET', '/v1/work', await service.read());
    await cloud.addKey(
      keyFile({
        id: keyId,
        tier: 'high',
        provider: 'sandbox',
        params: { principal: stage },
        secret,
        service: service.name,
        overlap: 'PT30S',
      }),
    );
    const first = await active(cloud, keyId, 90, 1);
    const old = await service.read();
    const before = await currentOf();
    must((await work()) === 200, 'the vendor takes the first version');
    tell(`version 1 in use, due ${first.nextDueAt}`);

    const operationId = operationIdOf('rotate', keyId, `${first.nextDueAt}|1`);
    const started = await recorded(cloud, keyId, 'rotation.started', secondsTo(first.nextDueAt) + firingSeconds, operationId);
    must(started.actor === 'schedule', `the schedule began it, and not ${started.actor}`);
    const execution = executionArn(cloud, 'rotate', operationId);
    await until('its execution, under the name of this due date', async () => (await cloud.execution(execution)).states[0] === 'Issue', 10);
    tell(`began by itself at ${started.at} as ${operationId}`);

    await service.saw('moved', 2, 90);
    const fresh = await service.read();
    must(fresh !== old && (await currentOf()) !== before, "AWSCURRENT of the service's secret moved");
    const both = await Promise.all([old, fresh].map((value) => vendor.ask('GET', '/v1/work', value)));
    must(
      both.every((status) => status === 200),
      `both versions work during the overlap (${both.join(', ')})`,
    );
    tell('the service heard, moved and proved it; both versions work');

    const done = await recorded(cloud, keyId, 'rotation.done', 120, operationId);
    const confirmed = await recorded(cloud, keyId, 'rotation.confirmed', 1, operationId);
    must(String(confirmed.detail['evidence']) === `${service.name}:possession`, 'the service confirmed by proof of possession');
    const log = vendor.log();
    const oldId = log.find(({ valueSha256 }) => valueSha256 === sha256(old))?.credentialId ?? '';
    const disabled = log.findIndex(
      ({ operation, path, outcome }) => operation === 'disable' && path.includes(oldId) && outcome === 'accepted',
    );
    must(disabled >= 0, "the vendor's log shows the disable");
    const after = log.slice(disabled).filter(({ valueSha256 }) => valueSha256 === sha256(old));
    must(
      after.some(({ outcome }) => outcome === 'refused'),
      'the vendor refused the old value after the disable',
    );
    must(!after.some(({ outcome }) => outcome === 'accepted'), 'the vendor took the old value never again');
    must((await work()) === 200, 'the service still works');
    tell(`done at ${done.at}; the vendor refused the old value ${after.length} times after its disable`);
    await hold(cloud, keyId);
    await service.stop();

    async function currentOf(): Promise<string | undefined> {
      const { VersionIdsToStages = {} } = await clients.secrets.send(new DescribeSecretCommand({ SecretId: secret }));
      return Object.entries(VersionIdsToStages).find(([, labels]) => labels.includes('AWSCURRENT'))?.[0];
    }
  },
};
