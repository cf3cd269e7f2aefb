import { describe, expect, test } from 'vitest';
import { readInstallation } from '../../infra/installation.ts';
import { readTemplate, testStack } from '../support/stack.ts';

describe('where keys of API Gateway are kept too', () => {
  const stack = readTemplate(testStack());
  const wider = readTemplate(testStack({ installation: { ...readInstallation('test'), apiGateway: true } }));
  const rightsAt = (name: string) =>
    wider.functions
      .find((one) => one.name === name)!
      .rights.filter(({ Action }) => Action.some((action) => action.startsWith('apigateway:')))
      .map(({ Action, Resource, Condition }) => [
        Action.join(),
        Resource.map((arn) => arn.replace('arn:<AWS::Partition>:apigateway:<AWS::Region>::', '')).join(' '),
        ...Object.values(Condition ?? {}).flatMap((bound) => Object.entries(bound).flat()),
      ]);
  const reads = ['apigateway:GET', '/apikeys /usageplans/*'];
  const ends = ['apigateway:PATCH', '/apikeys/*', 'aws:ResourceTag/rekey', 'test'];
  const tags = '/tags/arn%3A<AWS::Partition>%3Aapigateway%3A<AWS::Region>%3A%3A%2Fapikeys%2F*';
  const makes = [
    ['apigateway:POST', '/apikeys /usageplans/*/keys'],
    ['apigateway:PUT', tags, 'aws:RequestTag/rekey', 'test'],
  ];
  const deletes = ['apigateway:DELETE', '/apikeys/*', 'aws:ResourceTag/rekey', 'test'];

  test.each([
    ['issue', [reads, ...makes, deletes]],
    ['verify', [reads]],
    ['retire', [reads, ends]],
    ['disable', [ends]],
    ['intake', [reads, ends]],
    ['distribute', []],
    ['notify', []],
  ])('%s may do there what its row says, on keys that carry the tag of this stage', (name, rights) => {
    expect(rightsAt(name).sort()).toEqual([...rights].sort());
  });

  test('no other verb and no other resource of API Gateway is anybody’s, and without it none is', () => {
    const verbs = (of: typeof wider) => of.functions.flatMap(({ rights }) => rights.flatMap(({ Action }) => Action));
    expect([...new Set(verbs(wider).filter((action) => action.startsWith('apigateway:')))].sort()).toEqual(
      ['DELETE', 'GET', 'PATCH', 'POST', 'PUT'].map((verb) => `apigateway:${verb}`),
    );
    expect(verbs(stack).filter((action) => action.startsWith('apigateway:'))).toEqual([]);
  });
});
