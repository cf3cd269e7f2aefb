import { CfnResource, type Stack } from 'aws-cdk-lib';
import { PolicyDocument, PolicyStatement, type PolicyStatementProps } from 'aws-cdk-lib/aws-iam';

/** One resource as it will stand in the template: after overrides, aspects and escape hatches. */
export interface Part {
  readonly id: string;
  readonly path: string;
  readonly type: string;
  readonly properties: unknown;
  readonly deletion: string | undefined;
  readonly replacement: string | undefined;
}

/** One statement of a policy, with every field a list and every ARN one text. */
export interface Statement {
  readonly effect: string;
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly principal: unknown;
  readonly condition: unknown;
}

/** Every resource of the stack. */
export function partsOf(stack: Stack): Part[] {
  return stack.node
    .findAll()
    .filter((node) => CfnResource.isCfnResource(node))
    .flatMap((node) => {
      const made = dig(stack.resolve(node._toCloudFormation()), 'Resources');
      return Object.entries((made ?? {}) as Record<string, unknown>).map(([id, resource]) => ({
        id,
        path: node.node.path,
        type: String(dig(resource, 'Type')),
        properties: dig(resource, 'Properties'),
        deletion: dig(resource, 'DeletionPolicy') as string | undefined,
        replacement: dig(resource, 'UpdateReplacePolicy') as string | undefined,
      }));
    });
}

/** What lies at a path, or undefined. */
export function dig(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((at, name) => (typeof at === 'object' && at !== null ? Reflect.get(at, name) : undefined), value);
}

/** A value of the template as one text, in which a reference is `<Name>`. */
export function flat(value: unknown): string {
  if (typeof value === 'string') return value;
  const ref = dig(value, 'Ref');
  if (typeof ref === 'string') return `<${ref}>`;
  const attribute = dig(value, 'Fn::GetAtt');
  if (Array.isArray(attribute)) return `<${attribute.join('.')}>`;
  const join = dig(value, 'Fn::Join', 1);
  if (Array.isArray(join)) return join.map(flat).join(String(dig(value, 'Fn::Join', 0)));
  return JSON.stringify(value) ?? '';
}

/** A list, whether there is none, one or several. */
export function listOf(value: unknown): readonly unknown[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}

/** Whether a statement is about everybody there is. */
export function isAnybody(principal: unknown): boolean {
  return principal === '*' || flat(dig(principal, 'AWS') ?? '') === '*';
}

/** The statements of a policy document. */
export function statementsOf(document: unknown): Statement[] {
  return listOf(dig(document, 'Statement')).map((statement) => ({
    effect: String(dig(statement, 'Effect') ?? 'Allow'),
    actions: listOf(dig(statement, 'Action')).map(String),
    resources: listOf(dig(statement, 'Resource')).map(flat),
    principal: dig(statement, 'Principal'),
    condition: dig(statement, 'Condition'),
  }));
}

/** Every right of the statements as one text: action, resource, condition. */
export function pairsOf(statements: readonly Statement[]): string[] {
  return statements.flatMap(({ actions, resources, condition }) =>
    actions.flatMap((action) => resources.map((resource) => `${action} ${resource}${condition ? ` if ${JSON.stringify(condition)}` : ''}`)),
  );
}

/** The same for statements that are not in the template yet. */
export function pairsOfProps(stack: Stack, props: readonly PolicyStatementProps[]): string[] {
  const statements = props.map((one) => new PolicyStatement(one));
  return pairsOf(statementsOf(stack.resolve(new PolicyDocument({ statements, minimize: false }))));
}
