import { describe, expect, test } from 'vitest';
import { roles, whoCan } from '../../core/authority.ts';
import { defaultPolicy } from '../../core/policy/default-policy.ts';
import { requestName } from '../../functions/request-name.ts';
import { requests } from '../../requests/requests.ts';
import { openRoutes, pathOf, routes } from '../../requests/routes.ts';
import { flat, readTemplate, statements, testStack } from '../support/stack.ts';

const stack = readTemplate(testStack());
const policies = new Map(
  stack
    .ofType('AWS::IAM::ManagedPolicy')
    .filter(({ Properties }) => Properties.ManagedPolicyName !== 'test-rekey-boundary')
    .map(({ Properties }) => [String(Properties.ManagedPolicyName), statements(Properties.PolicyDocument)] as const),
);
const rightsOf = (role: string) => policies.get(`test-rekey-${role}`) ?? [];
/** Paths that a role's policy lets it post to, as IAM compares them with the routes that there are. */
const opened = (role: string): string[] => {
  const patterns = rightsOf(role)
    .filter(({ Effect, Action }) => Effect === 'Allow' && Action.includes('execute-api:Invoke'))
    .flatMap(({ Resource }) => Resource)
    .map((arn) => arn.replace(/^arn:<AWS::Partition>:execute-api:<AWS::Region>:<AWS::AccountId>:<Api\w+>\/\$default\/POST\//, ''));
  // A wildcard stands at the end, behind the action.
  for (const pattern of patterns) expect(pattern).toMatch(/^(receipts|requests\/[a-z]+\/\*)$/);
  const fits = (path: string) => patterns.some((one) => path === one || (one.endsWith('*') && path.startsWith(one.slice(0, -1))));
  return [...routes.map(({ path }) => path), ...openRoutes.map(({ path }) => path)].filter(fits);
};

describe('a role', () => {
  test('has a policy of its own and no other exists, and the stack says its ARN', () => {
    expect([...policies.keys()].sort()).toEqual(roles.map((role) => `test-rekey-${role}`).sort());
    for (const role of roles) {
      const name = `${role.charAt(0).toUpperCase()}${role.slice(1)}PolicyArn`;
      const output = stack.template.Outputs[name] as { Value: { Ref: string } };
      expect(stack.template.Resources[output.Value.Ref]?.Properties.ManagedPolicyName).toBe(`test-rekey-${role}`);
    }
  });

  test.each(roles)('POL-R9, POL-Q1: %s may make exactly the requests that who-can says, route by route', (role) => {
    for (const [name, { action }] of Object.entries(requests)) {
      const says = whoCan(defaultPolicy.authority, action).some((one) => one.role === role);
      expect([name, opened(role).includes(pathOf(name, action))]).toEqual([name, says]);
    }
    expect(opened(role).includes('receipts')).toBe(whoCan(defaultPolicy.authority, 'prove').some((one) => one.role === role));
    expect(opened(role).filter((path) => !routes.some((route) => route.path === path))).toEqual([]);
  });

  test('POL-Q1: creates, approves or revokes, and never two of these', () => {
    for (const role of roles) {
      const held = (['create', 'approve', 'revoke'] as const).filter((action) =>
        whoCan(defaultPolicy.authority, action).some((one) => one.role === role),
      );
      expect(held.length, role).toBeLessThanOrEqual(1);
    }
  });

  test('that audits reads and does nothing else, and a consumer sends receipts and nothing else', () => {
    const reading = Object.entries(requests).filter(([, { action }]) => action === 'read');
    expect(opened('auditor').sort()).toEqual(reading.map(([name, { action }]) => pathOf(name, action)).sort());
    const looks = /\.(show|list|explain|history|certificate|proofs|queued|runbook|export|chains|entries|seals)$|^(status|findings)$/;
    for (const [name] of reading) expect(name).toMatch(looks);
    expect(opened('consumer')).toEqual(['receipts']);
  });

  test('that responds may also start the revoking workflow and see how that ended, and no other one', () => {
    const revoke = (what: string) => `arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>:${what}:test-rekey-revoke`;
    for (const role of roles) {
      const byHand = rightsOf(role).filter(({ Action }) => Action.some((action) => action.startsWith('states:')));
      expect(byHand.map(({ Action, Resource }) => [Action, Resource])).toEqual(
        role === 'responder'
          ? [
              [['states:StartExecution'], [revoke('stateMachine')]],
              [['states:DescribeExecution'], [`${revoke('execution')}:*`]],
            ]
          : [],
      );
    }
  });

  test('that creates keys may hand an existing value in, and nobody may read one', () => {
    for (const role of roles) {
      const onSecrets = rightsOf(role).filter(({ Action }) => Action.some((action) => action.startsWith('secretsmanager:')));
      expect(onSecrets.flatMap(({ Action }) => Action).sort()).toEqual(
        role === 'operator'
          ? ['CreateSecret', 'DescribeSecret', 'PutSecretValue', 'UpdateSecretVersionStage'].map((action) => `secretsmanager:${action}`)
          : [],
      );
      for (const { Resource } of onSecrets) expect(Resource).toEqual([expect.stringMatching(/:secret:rekey\/test\/key\/\*$/)]);
    }
  });

  test('that creates keys may move the label of what it handed in, and not the one that services read by', () => {
    const moves = rightsOf('operator').filter(({ Action }) => Action.includes('secretsmanager:UpdateSecretVersionStage'));
    expect(moves.map(({ Action, Condition }) => [Action, Condition])).toEqual([
      [['secretsmanager:UpdateSecretVersionStage'], { StringEquals: { 'secretsmanager:VersionStage': 'AWSPENDING' } }],
    ]);
  });

  test('may invoke no function, because a direct invocation could name any principal, and nothing by a wildcard but the requests of an action, secrets of keys and executions of the revoking workflow', () => {
    const every = [...policies.values()].flat();
    expect(every.flatMap(({ Action }) => Action).filter((action) => action.startsWith('lambda:') || action.includes('*'))).toEqual([]);
    const wildcards = every.flatMap(({ Resource }) => Resource).filter((arn) => arn.includes('*'));
    expect(
      wildcards.filter((arn) => !/\/POST\/requests\/[a-z]+\/\*$|:secret:rekey\/test\/key\/|:execution:test-rekey-revoke:/.test(arn)),
    ).toEqual([]);
  });
});

describe('the API', () => {
  test('has a route for each request and one for receipts, for signed requests only, and one for each sender that signs its body itself', () => {
    const made = stack.ofType('AWS::ApiGatewayV2::Route').map(({ Properties }) => Properties);
    expect(made.map(({ RouteKey }) => RouteKey).sort()).toEqual([...routes, ...openRoutes].map(({ path }) => `POST /${path}`).sort());
    const open = made.filter(({ AuthorizationType }) => AuthorizationType !== 'AWS_IAM').map(({ RouteKey }) => RouteKey);
    expect(open.sort()).toEqual(['POST /reports/event', 'POST /reports/github', 'POST /reports/github-partner']);
  });

  test('leads each route to the function of its door', () => {
    const functionOf = (target: unknown) => {
      const integration = stack.template.Resources[flat(target).replace(/^integrations\/<(.*)>$/, '$1')];
      return flat(integration?.Properties.IntegrationUri)
        .replace(/^<(\w+?)Function.*/, '$1')
        .toLowerCase();
    };
    const made = stack.ofType('AWS::ApiGatewayV2::Route').map(({ Properties }) => Properties);
    for (const { path, door } of [...routes, ...openRoutes]) {
      const route = made.find(({ RouteKey }) => RouteKey === `POST /${path}`);
      expect([path, functionOf(route?.Target)]).toEqual([path, door]);
    }
  });

  test('waits for a function as long as it may run', () => {
    for (const { Properties } of stack.ofType('AWS::ApiGatewayV2::Integration')) {
      const lambda = stack.template.Resources[flat(Properties.IntegrationUri).replace(/^<(\w+)\..*/, '$1')];
      expect(Properties.TimeoutInMillis).toBe(lambda?.Properties.Timeout * 1000);
    }
  });

  test('slows down a flood, and logs who asked for what without what they sent', () => {
    const [stage] = stack.ofType('AWS::ApiGatewayV2::Stage');
    expect(stage?.Properties.DefaultRouteSettings).toEqual({ ThrottlingRateLimit: 50, ThrottlingBurstLimit: 100 });
    const line = JSON.parse(stage?.Properties.AccessLogSettings.Format);
    expect(line).toMatchObject({ principal: '$context.identity.userArn', route: '$context.routeKey', status: '$context.status' });
    expect(Object.values(line).filter((field) => !String(field).startsWith('$context.'))).toEqual([]);
  });

  test('is the only address of the stack', () => {
    expect(stack.ofType('AWS::Lambda::Url')).toEqual([]);
    const output = stack.template.Outputs['ApiUrl'] as { Value: unknown };
    expect(flat(output.Value)).toMatch(/^<Api\w+\.ApiEndpoint>$/);
  });
});

describe('the action in a path', () => {
  test('is that of its request, or there is no such request: a right to one action is none to another', () => {
    for (const [name, { action }] of Object.entries(requests)) expect(requestName(pathOf(name, action), requests)).toBe(name);
    for (const path of ['requests/read/revoke', 'requests/revoke', 'requests/read/toString', 'requests/read/'])
      expect(() => requestName(path, requests), path).toThrow(expect.objectContaining({ code: 'E_NOT_FOUND' }));
  });

  test('keeps every policy far from what IAM takes, whatever is asked for later', () => {
    for (const role of roles) expect(JSON.stringify(rightsOf(role)).length, role).toBeLessThan(3500);
  });
});
