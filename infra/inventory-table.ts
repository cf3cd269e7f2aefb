import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import { AttributeType, BillingMode, ProjectionType, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb';
import { AnyPrincipal, Effect, PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { indexNames, keyNames, slotOf, slots } from '../core/inventory.ts';
import { throughService } from './through-service.ts';

export interface InventoryTableProps {
  /** Of the stack's own table. */
  readonly tableName: string;
  /** An earlier stack of this stage left that table: it is used, and none is made. */
  readonly kept?: boolean | undefined;
  /** A restored table, to be used instead. */
  readonly restored?: string | undefined;
  /** With `restored`: the table that was used before, where it is not the stack's own. */
  readonly former?: string | undefined;
}

/**
 * The inventory: paid per request, restorable to any second, and outliving the stack. Nothing in it expires by itself,
 * so no attribute is a time to live. After a restore the functions use the restored table, which the stack does not own, and may read the
 * former one: the stack's own, or the one that was used before.
 */
export class InventoryTable extends Construct {
  readonly name: string;
  readonly arn: string;
  /** The indexes by ARN, so that no right on them needs a wildcard. */
  readonly indexArns: readonly string[];
  /** The table that was used before the restored one, with its indexes; empty where none was restored. */
  readonly formerArns: readonly string[];

  constructor(scope: Construct, id: string, { tableName, kept, restored, former }: InventoryTableProps) {
    super(scope, id);
    const own = kept ? { tableName, tableArn: this.#arnOf(tableName) } : this.#make(tableName);
    this.name = restored ?? own.tableName;
    this.arn = restored === undefined ? own.tableArn : this.#arnOf(restored);
    this.indexArns = indexesOf(this.arn);
    const formerArn = former === undefined ? own.tableArn : this.#arnOf(former);
    this.formerArns = restored === undefined ? [] : [formerArn, ...indexesOf(formerArn)];
  }

  #make(tableName: string): Table {
    const key = new Key(this, 'Key', {
      description: `Encrypts ${tableName}`,
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    key.addToResourcePolicy(throughService(Stack.of(this), ['dynamodb']));
    const table = new Table(this, 'Table', {
      tableName,
      partitionKey: text(keyNames.partitionKey),
      sortKey: text(keyNames.sortKey),
      billingMode: BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      encryption: TableEncryption.CUSTOMER_MANAGED,
      encryptionKey: key,
      resourcePolicy: overTlsOnly(this.#arnOf(tableName)),
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    for (const index of slots) {
      table.addGlobalSecondaryIndex({
        indexName: index.name,
        partitionKey: text(index.partitionKey),
        sortKey: text(index.sortKey),
        projectionType: ProjectionType.KEYS_ONLY,
      });
    }
    return table;
  }

  #arnOf(resourceName: string): string {
    return Stack.of(this).formatArn({ service: 'dynamodb', resource: 'table', resourceName });
  }
}

/** DynamoDB answers plain HTTP too, unless the table's own policy says no; docs/restore.md gives a restored table the same. */
function overTlsOnly(arn: string): PolicyDocument {
  const plain = new PolicyStatement({
    effect: Effect.DENY,
    principals: [new AnyPrincipal()],
    actions: ['dynamodb:*'],
    resources: [arn, `${arn}/index/*`],
    conditions: { Bool: { 'aws:SecureTransport': 'false' } },
  });
  return new PolicyDocument({ statements: [plain] });
}

/** The indexes that are asked, each by its slot. */
function indexesOf(arn: string): string[] {
  return [...new Set(indexNames.map((index) => slotOf(index).name))].map((name) => `${arn}/index/${name}`);
}

function text(name: string) {
  return { name, type: AttributeType.STRING };
}
