import { describe, expect, test } from 'vitest';
import { environment } from '../../workflows/environment.ts';
import { flat, readTemplate, testStack } from '../support/stack.ts';

const restored = readTemplate(testStack({ table: 'test-rekey-restored' }));

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
    expect(restored.whoMay('dynamodb:PutItem', 'table/test-rekey-restored')).toHaveLength(restored.functions.length);
  });

  test('is the only one in which another table can be read', () => {
    const usual = readTemplate(testStack());
    expect(usual.whoMay('dynamodb:PutItem', 'test-rekey-restored')).toEqual([]);
    for (const { properties } of usual.functions)
      expect(JSON.stringify(properties.Environment.Variables[environment.table])).toContain('Ref');
  });
});
