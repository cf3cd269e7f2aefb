import { describe, expect, test } from 'vitest';
import { environment } from '../../workflows/environment.ts';
import { flat, readTemplate, testStack } from '../support/stack.ts';

const restored = readTemplate(testStack({ table: 'test-rekey-restored' }));

/** Every function but the one that passes on what people are told. */
const writers = ({ functions }: { readonly functions: readonly { readonly name: string }[] }): number =>
  functions.filter(({ name }) => name !== 'channels').length;

describe('a deployment that names a restored table', () => {
  test('has every function use it, and keeps the stack’s own table declared', () => {
    for (const { properties } of restored.functions)
      expect(properties.Environment.Variables[environment.table]).toBe('test-rekey-restored');
    expect(restored.ofType('AWS::DynamoDB::Table')).toMatchObject([
      { DeletionPolicy: 'Retain', Properties: { TableName: 'test-rekey-inventory' } },
    ]);
  });

  test('lets nobody write the former table, and only the operators’ function read it', () => {
    const former = restored.functions.flatMap(({ name, rights }) =>
      rights
        .filter(
          ({ Action, Resource }) =>
            Action.some((action) => action.startsWith('dynamodb:')) && Resource.some((arn) => !flat(arn).includes('test-rekey-restored')),
        )
        .map(({ Action }) => ({ name, actions: [...Action].sort() })),
    );
    expect(former).toEqual([{ name: 'operate', actions: ['dynamodb:GetItem', 'dynamodb:Query'] }]);
    expect(restored.whoMay('dynamodb:PutItem', 'table/test-rekey-restored')).toHaveLength(writers(restored));
  });

  test('lets the operators’ function end what lives after all, and start the revocation of what leaked; at no other time', () => {
    expect(restored.whoMay('iam:UpdateAccessKey')).toContain('operate');
    expect(restored.whoMay('states:StartExecution', 'stateMachine:test-rekey-revoke')).toContain('operate');
    const usual = readTemplate(testStack());
    expect(usual.whoMay('iam:UpdateAccessKey')).not.toContain('operate');
    expect(usual.whoMay('states:StartExecution', 'stateMachine:test-rekey-revoke')).not.toContain('operate');
  });

  test('may be the second of its stage: then the one before it is read, and not the stack’s own', () => {
    const second = readTemplate(testStack({ table: 'test-rekey-restored-2', former: 'test-rekey-restored' }));
    const read = second.functions
      .find(({ name }) => name === 'operate')!
      .rights.filter(({ Action }) => Action.length === 2 && Action.every((action) => /^dynamodb:(GetItem|Query)$/.test(action)));
    expect(read.flatMap(({ Resource }) => Resource)).toContainEqual(expect.stringMatching(/table\/test-rekey-restored$/));
    expect(second.whoMay('dynamodb:GetItem', 'Inventory')).toEqual([]);
    expect(second.whoMay('dynamodb:PutItem', 'table/test-rekey-restored-2')).toHaveLength(writers(second));
  });

  test('is the only one in which another table can be read', () => {
    const usual = readTemplate(testStack());
    expect(usual.whoMay('dynamodb:PutItem', 'test-rekey-restored')).toEqual([]);
    for (const { properties } of usual.functions)
      expect(JSON.stringify(properties.Environment.Variables[environment.table])).toContain('Ref');
  });
});

describe('a deployment of a stage whose earlier stack left its table and its pepper', () => {
  const kept = readTemplate(testStack({ kept: true }));

  test('makes neither, and uses both by their names', () => {
    expect(kept.ofType('AWS::DynamoDB::Table')).toEqual([]);
    expect(kept.ofType('AWS::SecretsManager::Secret')).toEqual([]);
    for (const { properties } of kept.functions) expect(properties.Environment.Variables[environment.table]).toBe('test-rekey-inventory');
    expect(kept.whoMay('dynamodb:PutItem', 'table/test-rekey-inventory')).toHaveLength(writers(kept));
    expect(kept.whoMay('secretsmanager:GetSecretValue', 'secret:rekey/test/pepper-')).toContain('issue');
  });

  test('can be restored like any other', () => {
    const restoredToo = readTemplate(testStack({ kept: true, table: 'test-rekey-restored' }));
    expect(restoredToo.whoMay('dynamodb:Query', 'table/test-rekey-inventory')).toEqual(['operate']);
  });
});
