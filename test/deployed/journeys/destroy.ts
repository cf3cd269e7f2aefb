import { DescribeContinuousBackupsCommand, DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import { CreateSecretCommand } from '@aws-sdk/client-secrets-manager';
import { dynamoInventory } from '../../../adapters/aws/inventory.ts';
import { firstBreak } from '../../../core/audit.ts';
import { findKey } from '../../../core/items.ts';
import type { Ports } from '../../../core/ports.ts';
import { history } from '../../../core/show.ts';
import { secretNames } from '../../../functions/secret-names.ts';
import type { Journey } from '../journey.ts';
import { keyFile } from '../key-file.ts';
import { active, must, secretValue } from '../record.ts';
import { kms } from '../signed.ts';

/** Taking Rekey away must not take anybody's keys away, nor what is known about them. */
export const journey: Journey = {
  letter: 'i',
  title: 'destroying the stack leaves every key, every value and the audit',
  needs: ['functions', 'error-names', 'http-api', 'transactions', 'secret-labels', 'retain', 'deletion-protection', 'vendor'],
  destroys: true,
  async run(cloud, tell, others) {
    const { stack, stage, vendor, clients, table } = cloud;
    const [keyId, secret] = ['journeys/destroy', `${stage}/destroy`];
    await clients.secrets.send(new CreateSecretCommand({ Name: secret }));
    const params = { principal: `${stage}-destroy` };
    await cloud.addKey(keyFile({ id: keyId, tier: 'medium', provider: 'sandbox', params, secret }));
    await active(cloud, keyId, 120, 1);
    tell('a key is in use; now the other journeys');
    await others;

    const recovery = async () => {
      const backups = await clients.dynamodb.send(new DescribeContinuousBackupsCommand({ TableName: table }));
      return backups.ContinuousBackupsDescription?.PointInTimeRecoveryDescription?.PointInTimeRecoveryStatus;
    };
    const before = await recovery();
    const made = await stack.resources();
    await stack.destroy();
    const gone = await cloud.cli(['status']);
    must(gone.code !== 0, 'the doors are closed');
    const { Table } = await clients.dynamodb.send(new DescribeTableCommand({ TableName: table }));
    must(
      Table?.TableStatus === 'ACTIVE' && Table.DeletionProtectionEnabled,
      `the inventory is there, and protected (${Table?.TableStatus})`,
    );
    if (before === 'ENABLED') must((await recovery()) === 'ENABLED', 'it can still be restored to any second');
    else tell.notRun('point-in-time recovery', `the endpoint says ${before} of a table whose template asks for it`);

    // Only what reading the record needs: the inventory that is left.
    const ports = { inventory: dynamoInventory({ client: {}, table, callSeconds: 10 }) } as Ports;
    const ids: string[] = [];
    for await (const hint of ports.inventory.hints('keys')) ids.push(hint.keyId);
    let lines = 0;
    for (const id of ids) {
      const key = await findKey(ports, id);
      must(key, `${id} is in the inventory`);
      const entries = await history(ports, id);
      lines += entries.length;
      must(firstBreak(entries, key.audit) === null, `the audit chain of ${id} holds`);
    }
    must(ids.includes(keyId), 'the key of this journey is listed');
    tell(`destroyed; the table answers: ${ids.length} keys, ${lines} lines of audit, every chain holds`);

    const value = await secretValue(cloud, secret);
    must((await vendor.ask('GET', '/v1/work', value)) === 200, 'the delivered value is there, and works');
    const own = await secretValue(cloud, secretNames.keys(`rekey/${stage}/`) + keyId);
    must(own.length > 0, 'the secret store’s own value is there');
    must((await secretValue(cloud, secretNames.pepper(`rekey/${stage}/`))).length > 0, 'the pepper is there');
    const keyIds = made.filter(({ type }) => type === 'AWS::KMS::Key').map(({ id }) => id);
    const states = await Promise.all(keyIds.map((KeyId) => kms('DescribeKey', { KeyId })));
    const enabled = states.filter((answer) => (answer['KeyMetadata'] as { KeyState?: string }).KeyState === 'Enabled');
    must(keyIds.length > 0 && enabled.length === keyIds.length, `every KMS key is enabled (${enabled.length} of ${keyIds.length})`);
    tell(`values are readable and work; ${enabled.length} KMS keys are enabled`);
  },
};
