import { RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { CfnApi, CfnIntegration, CfnRoute, CfnStage } from 'aws-cdk-lib/aws-apigatewayv2';
import type { Key } from 'aws-cdk-lib/aws-kms';
import { CfnPermission, type Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { Action } from '../core/authority.ts';
import { openRoutes, type Route, routes } from '../requests/routes.ts';
import { apiSeconds } from './doors.ts';

export interface ApiProps {
  readonly name: (what: string) => string;
  readonly functions: Readonly<Record<Route['door'], LambdaFunction>>;
  readonly logKey: Key;
}

/**
 * One address for everybody: each row of the request table is a route of its own, under its action, and only a principal whose IAM policy names
 * that action gets through, and IAM's word for who that is reaches the function. Each request leaves a line in the access log, the
 * refused ones too.
 */
export class Api extends Construct {
  readonly url: string;
  readonly id: string;

  constructor(scope: Construct, id: string, { name, functions, logKey }: ApiProps) {
    super(scope, id);
    const api = new CfnApi(this, 'Api', {
      name: name('api'),
      protocolType: 'HTTP',
      description: 'The door of Rekey; signed requests only',
    });
    this.id = api.ref;
    this.url = api.attrApiEndpoint;
    const integrations = Object.fromEntries(
      Object.entries(functions).map(([door, lambda]) => [door, this.#integration(door, lambda)]),
    ) as Record<Route['door'], CfnIntegration>;
    for (const { path, door } of routes) {
      new CfnRoute(this, `Route-${path.replaceAll(/[^a-z]/g, '-')}`, {
        apiId: this.id,
        routeKey: `POST /${path}`,
        authorizationType: 'AWS_IAM',
        target: `integrations/${integrations[door].ref}`,
      });
    }
    for (const { path, door } of openRoutes) {
      const route = new CfnRoute(this, `Route-${path.replaceAll(/[^a-z]/g, '-')}`, {
        apiId: this.id,
        routeKey: `POST /${path}`,
        authorizationType: 'NONE',
        target: `integrations/${integrations[door].ref}`,
      });
      Validations.of(route).acknowledge({
        id: 'AwsSolutions-APIG4',
        reason:
          'The sender has no identity of ours: it signs the raw body, and the function looks at nothing of it before that signature held.',
      });
    }
    this.#stage(name('api'), logKey);
  }

  /** What a policy has to name so that its holder may make all requests of an action, those of later releases too. */
  arnsOf(action: Action): string[] {
    const paths = new Set(routes.filter((route) => route.action === action).map(({ path }) => path.replace(/(?<=\/)[^/]+$/, '*')));
    return [...paths].map((path) => this.#arn(`$default/POST/${path}`));
  }

  /** The function behind a door, which this API alone may invoke: whoever invoked it directly could write any principal into the event. */
  #integration(door: string, lambda: LambdaFunction): CfnIntegration {
    const paths = door === 'acknowledge' ? ['receipts'] : door === 'report' ? ['requests/*', 'reports/*'] : ['requests/*'];
    for (const [i, path] of paths.entries()) {
      new CfnPermission(this, `May-${door}${i || ''}`, {
        action: 'lambda:InvokeFunction',
        functionName: lambda.functionArn,
        principal: 'apigateway.amazonaws.com',
        sourceAccount: Stack.of(this).account,
        sourceArn: this.#arn(`*/POST/${path}`),
      });
    }
    return new CfnIntegration(this, `To-${door}`, {
      apiId: this.id,
      integrationType: 'AWS_PROXY',
      integrationUri: lambda.functionArn,
      payloadFormatVersion: '2.0',
      timeoutInMillis: apiSeconds * 1000,
    });
  }

  #stage(name: string, encryptionKey: Key): void {
    const log = new LogGroup(this, 'Log', {
      logGroupName: `/aws/vendedlogs/apis/${name}`,
      retention: RetentionDays.ONE_YEAR,
      encryptionKey,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    new CfnStage(this, 'Stage', {
      apiId: this.id,
      stageName: '$default',
      autoDeploy: true,
      accessLogSettings: { destinationArn: log.logGroupArn, format: JSON.stringify(logLine) },
      // Far more than people and their services ask for, and few enough that a loop with valid credentials cannot use up the account's functions.
      defaultRouteSettings: { throttlingRateLimit: 50, throttlingBurstLimit: 100 },
      // Whoever has no identity of ours gets a small share, so that a flood of refused reports leaves the doors to the others.
      routeSettings: Object.fromEntries(
        openRoutes.map(({ path }) => [`POST /${path}`, { ThrottlingRateLimit: 10, ThrottlingBurstLimit: 20 }]),
      ),
    });
  }

  #arn(what: string): string {
    const { partition, region, account } = Stack.of(this);
    return `arn:${partition}:execute-api:${region}:${account}:${this.id}/${what}`;
  }
}

/** Who asked for what, when, from where, and what became of it. Never a body. */
const logLine = {
  at: '$context.requestTime',
  requestId: '$context.requestId',
  principal: '$context.identity.userArn',
  from: '$context.identity.sourceIp',
  route: '$context.routeKey',
  status: '$context.status',
  milliseconds: '$context.responseLatency',
};
