import { App, type Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { readInstallation } from '../../infra/installation.ts';
import { RekeyStack, type RekeyStackProps } from '../../infra/stack.ts';

/** The stack of stage `test` without its bundles, which the template does not hold. */
export function testStack(more: Partial<RekeyStackProps> = {}): RekeyStack {
  const app = new App({ context: { '@aws-cdk/aws-iam:minimizePolicies': true } });
  return new RekeyStack(app, 'Rekey', {
    stackName: 'test-rekey',
    installation: readInstallation('test'),
    code: () => Code.fromInline('exports.handler = () => undefined'),
    delivers: { secrets: ['test/*'], parameters: ['test/*'] },
    ...more,
  });
}

export interface Resource {
  readonly Type: string;
  readonly DeletionPolicy?: string;
  // biome-ignore lint/suspicious/noExplicitAny: the shape is CloudFormation's, and tests look anywhere in it
  readonly Properties: any;
}

export interface Statement {
  readonly Effect: string;
  readonly Action: string[];
  readonly Resource: string[];
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** A template that can be asked who may do what. Resources are named by what they are called in AWS or by their place in the stack. */
export function readTemplate(stack: Stack) {
  const template = Template.fromStack(stack).toJSON() as { Resources: Record<string, Resource>; Outputs: Record<string, unknown> };
  const all = Object.entries(template.Resources);
  const ofType = (type: string): Resource[] => all.filter(([, { Type }]) => Type === type).map(([, resource]) => resource);

  /** What a role may do, all its policies together. */
  const rightsOf = (roleId: string): Statement[] =>
    ofType('AWS::IAM::Policy')
      .filter(({ Properties }) => Properties.Roles.some((role: { Ref: string }) => role.Ref === roleId))
      .flatMap(({ Properties }) => statements(Properties.PolicyDocument));

  /** Each function by its name without the stage, with what it may do. */
  const functions = ofType('AWS::Lambda::Function').map(({ Properties }) => ({
    name: String(Properties.FunctionName).replace(/^test-rekey-(step-)?/, ''),
    properties: Properties,
    rights: rightsOf(Properties.Role['Fn::GetAtt'][0]),
  }));

  return {
    template,
    all,
    ofType,
    rightsOf,
    functions,
    /** Names of the functions that may do an action on a resource whose ARN contains a text, sorted. */
    whoMay: (action: string, on = ''): string[] =>
      functions
        .filter(({ rights }) => rights.some(({ Action, Resource }) => Action.includes(action) && Resource.some((arn) => arn.includes(on))))
        .map(({ name }) => name)
        .sort(),
  };
}

/** The statements of a policy document, every ARN flattened to one text in which a reference is `<Name>`. */
export function statements(document: {
  Statement: { Action: string | string[]; Resource?: unknown; Effect: string; Condition?: object }[];
}): Statement[] {
  return document.Statement.map(({ Action, Resource, Effect, Condition }) => ({
    Effect,
    Action: [Action].flat(),
    Resource: [Resource ?? []].flat().map(flat),
    ...(Condition ? { Condition: Condition as NonNullable<Statement['Condition']> } : {}),
  }));
}

/** A CloudFormation value as one text. */
export function flat(value: unknown): string {
  if (typeof value === 'string') return value;
  const node = value as { Ref?: string; 'Fn::GetAtt'?: string[]; 'Fn::Join'?: [string, unknown[]] };
  if (node.Ref) return `<${node.Ref}>`;
  if (node['Fn::GetAtt']) return `<${node['Fn::GetAtt'].join('.')}>`;
  if (node['Fn::Join']) return node['Fn::Join'][1].map(flat).join(node['Fn::Join'][0]);
  return JSON.stringify(value);
}
