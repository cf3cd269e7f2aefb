import { expect, test } from 'vitest';
import { flat, readTemplate, testStack } from '../support/stack.ts';

const stack = readTemplate(testStack({ consumerAccounts: ['222233334444', '555566667777'] }));

test('services of the accounts named may subscribe a queue or a function to notices and emergencies, and do nothing else', () => {
  const opened = stack
    .ofType('AWS::SNS::TopicPolicy')
    .flatMap(({ Properties }) => Properties.PolicyDocument.Statement)
    .filter(({ Effect, Principal }) => Effect === 'Allow' && Principal.AWS);
  expect(opened).toHaveLength(2);
  for (const { Action, Principal, Condition, Resource } of opened) {
    expect([Action, Condition]).toEqual(['sns:Subscribe', { StringEquals: { 'sns:Protocol': ['sqs', 'lambda'] } }]);
    expect(Principal.AWS.map(flat)).toEqual(['222233334444', '555566667777'].map((id) => `arn:<AWS::Partition>:iam::${id}:root`));
    expect(flat(Resource)).toMatch(/^<Topics(Notices|Emergencies)/);
  }
});

test('nothing else of the stack names them', () => {
  const others = stack.all.filter(([, { Type }]) => Type !== 'AWS::SNS::TopicPolicy');
  expect(JSON.stringify(others)).not.toMatch(/222233334444|555566667777/);
});
