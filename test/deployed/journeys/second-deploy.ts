import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CreateSecretCommand } from '@aws-sdk/client-secrets-manager';
import type { Journey } from '../journey.ts';
import { keyFile } from '../key-file.ts';
import { active, ended, executionArn, must, recorded, rotated } from '../record.ts';
import { startService } from '../service.ts';
import { codeHashOf } from '../signed.ts';
import { until } from '../until.ts';

/** The overlap of a rotation is when most deploys of a busy team happen. */
export const journey: Journey = {
  letter: 'h',
  title: 'a second version is deployed while an overlap waits, and the rotation completes',
  after: 'e',
  needs: ['functions', 'error-names', 'http-api', 'task-tokens', 'transactions', 'sns-filter', 'secret-labels', 'vendor'],
  async run(cloud, tell) {
    const { stack, stage, vendor, clients } = cloud;
    const [keyId, secret] = ['journeys/second-deploy', `${stage}/second-deploy`];
    await clients.secrets.send(new CreateSecretCommand({ Name: secret }));
    const service = await startService(cloud, { name: 'service-h', keyId, secret });
    // Longer than a deploy takes: CloudFormation of AWS needs minutes for what an emulator does in seconds.
    const overlap = cloud.endpoint.name === 'aws' ? 'PT6M' : 'PT2M';
    const params = { principal: `${stage}-second-deploy` };
    await cloud.addKey(keyFile({ id: keyId, tier: 'medium', provider: 'sandbox', params, secret, service: service.name, overlap }));
    await active(cloud, keyId, 120, 1);
    const old = await service.read();
    const operationId = await rotated(cloud, keyId);
    const execution = executionArn(cloud, 'rotate', operationId);
    const waits = async () => (await cloud.execution(execution)).states.at(-1) === 'Overlap';
    await until('the overlap waits', waits, 90);

    const functions = ['step-verify', 'step-retire', 'reconcile', 'operate'].map((name) => `${stage}-rekey-${name}`);
    const before = await Promise.all(functions.map(codeHashOf));
    change(join(stack.installation, 'policy.yaml'), 'version: deployed-tests', 'version: deployed-tests-2');
    change(join(stack.installation, 'settings.yaml'), 'idleCheckSeconds: 60', 'idleCheckSeconds: 90');
    const started = Date.now();
    await stack.deploy();
    const after = await Promise.all(functions.map(codeHashOf));
    must(
      after.every((hash, index) => hash !== before[index]),
      'every function runs other code',
    );
    must(await waits(), 'the overlap was still waiting when the deploy ended');
    tell(`deployed again in ${((Date.now() - started) / 1000).toFixed(0)} s with another policy and settings; the overlap still waits`);

    const done = await recorded(cloud, keyId, 'rotation.done', cloud.endpoint.name === 'aws' ? 600 : 240, operationId);
    const { status, states } = await ended(cloud, execution, 30);
    must(status === 'SUCCEEDED', `its execution succeeded (${status})`);
    must((await cloud.execution(execution)).states.filter((state) => state === 'Issue').length === 1, 'nothing was issued twice');
    must((await vendor.ask('GET', '/v1/work', await service.read())) === 200, 'the new value works');
    must((await vendor.ask('GET', '/v1/work', old)) === 401, 'the old value is refused');
    tell(`the same execution went on through ${states.slice(states.indexOf('Overlap') + 1).join(', ')} and ended at ${done.at}`);
    await service.stop();
  },
};

function change(file: string, from: string, to: string): void {
  const text = readFileSync(file, 'utf8');
  if (!text.includes(from)) throw new Error(`the installation of the tests does not say "${from}"`);
  writeFileSync(file, text.replace(from, to));
}
