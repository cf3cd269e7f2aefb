import { CreateSecretCommand } from '@aws-sdk/client-secrets-manager';
import { sha256 } from '../../../local/sandbox/credentials.ts';
import type { Journey } from '../journey.ts';
import { keyFile } from '../key-file.ts';
import { active, ended, executionArn, must, recorded, rotated } from '../record.ts';
import { startService } from '../service.ts';

/** The new version is ended in the vendor's console while both work: Verify sees it, and everybody goes back. */
export const journey: Journey = {
  letter: 'd',
  title: 'a rotation whose verification fails is taken back: the old version again everywhere, the new one dead',
  after: 'c',
  needs: ['functions', 'error-names', 'http-api', 'task-tokens', 'transactions', 'sns-filter', 'secret-labels', 'vendor'],
  async run(cloud, tell) {
    const { stage, vendor, clients } = cloud;
    const [keyId, secret, principal] = ['journeys/roll-back', `${stage}/roll-back`, `${stage}-roll-back`];
    await clients.secrets.send(new CreateSecretCommand({ Name: secret }));
    const service = await startService(cloud, { name: 'service-d', keyId, secret });
    await cloud.addKey(
      keyFile({ id: keyId, tier: 'medium', provider: 'sandbox', params: { principal }, secret, service: service.name, overlap: 'PT15S' }),
    );
    await active(cloud, keyId, 90, 1);
    const old = await service.read();

    const operationId = await rotated(cloud, keyId);
    await service.saw('moved', 2, 90);
    const bad = await service.read();
    const heard = service.events.length;
    must((await vendor.ask('GET', '/v1/work', bad)) === 200, 'the new version works after its preflight');
    const newId = vendor.log().find(({ valueSha256 }) => valueSha256 === sha256(bad))?.credentialId ?? '';
    const path = `/v1/principals/${principal}/keys/${newId}/disable`;
    must((await vendor.ask('POST', path, vendor.adminKey.reveal())) === 200, "a hand in the vendor's console ends it");
    tell("the service moved to version 2, and then somebody ended it in the vendor's console");

    const aborted = await recorded(cloud, keyId, 'rotation.aborted', 120, operationId);
    must(aborted.detail['cause'] === 'VerificationFailed', `the cause is VerificationFailed (${aborted.detail['cause']})`);
    await service.saw('moved', 1, 120, heard);
    must((await service.read()) === old, 'the destination holds the old version again');
    const rolledBack = await recorded(cloud, keyId, 'rotation.rolled-back', 120, operationId);
    const execution = await ended(cloud, executionArn(cloud, 'rotate', operationId), 30);
    must(execution.status === 'FAILED' && execution.error === 'VerificationFailed', `it failed with the first cause (${execution.error})`);
    must(execution.states.includes('RollBack') && !execution.states.includes('Retire'), 'it rolled back and retired nothing');
    const key = await cloud.key(keyId);
    must(key.state === 'active' && key.current === 1, `the key is active on version 1 (${key.state}, ${key.current})`);
    must(key.versions.find(({ number }) => number === 2)?.state === 'disabled', 'version 2 is proven dead');
    await service.subscription.hear('the failure is told', ({ type }) => type === 'dev.rekey.key.rotation.failed.v1', 30);
    tell(`rolled back at ${rolledBack.at}, the service proved that it is back, the execution failed with VerificationFailed`);

    must((await vendor.ask('GET', '/v1/work', old)) === 200, 'the old value works');
    must((await vendor.ask('GET', '/v1/work', bad)) === 401, 'the new value is refused');
    const log = vendor.log();
    must(
      !log.some(
        ({ operation, path: asked, outcome }) =>
          operation === 'disable' && outcome === 'accepted' && asked.includes(principal) && !asked.includes(newId),
      ),
      'nobody ever asked the vendor to end the old version',
    );
    tell('the old value works at the vendor, the new one is refused');
    await service.stop();
  },
};
