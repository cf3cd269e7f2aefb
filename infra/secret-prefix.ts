import { RemovalPolicy, Stack, Validations } from 'aws-cdk-lib';
import { Key } from 'aws-cdk-lib/aws-kms';
import { CfnSecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { secretNames } from '../functions/secret-names.ts';
import { throughService } from './through-service.ts';

/**
 * The part of Secrets Manager that is Rekey's: every secret whose name begins with the prefix. The functions create the
 * keys' secrets and people put the admin credentials there; the stack itself makes only the pepper, unless an earlier stack of this stage left it.
 */
export class SecretPrefix extends Construct {
  readonly prefix: string;
  readonly pepperArn: string;

  constructor(scope: Construct, id: string, { stage, kept }: { readonly stage: string; readonly kept?: boolean | undefined }) {
    super(scope, id);
    this.prefix = `rekey/${stage}/`;
    const key = new Key(this, 'Key', {
      alias: secretNames.encryptionAlias(stage),
      description: `Encrypts the secrets under ${this.prefix}`,
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    key.addToResourcePolicy(
      throughService(Stack.of(this), ['secretsmanager'], { SecretARN: secretArn(Stack.of(this), `${this.prefix}*`) }),
    );
    if (!kept) this.#makePepper(key);
    // By its name, as every other secret: not every CloudFormation says the ARN when it is asked for it a second time.
    this.pepperArn = secretArn(Stack.of(this), `${secretNames.pepper(this.prefix)}-??????`);
  }

  #makePepper(key: Key): void {
    // Not by CDK's own construct: it would open the key to everybody who may use Secrets Manager, for any secret.
    const pepper = new CfnSecret(this, 'Pepper', {
      name: secretNames.pepper(this.prefix),
      description: 'Keys the fingerprints of every value. Losing it means that no leaked string is recognised any more.',
      kmsKeyId: key.keyArn,
      generateSecretString: { passwordLength: 64, excludePunctuation: true },
    });
    pepper.applyRemovalPolicy(RemovalPolicy.RETAIN);
    Validations.of(pepper).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason: 'Every stored fingerprint is made with the pepper: a new one would forget all of them. It never leaves the functions.',
    });
  }

  /** ARNs of the secrets that hold the keys' values, of those with the admin credentials, of those that senders of reports sign with, or of those of the channels to people. Secrets Manager adds six characters to every name. */
  arns(of: 'keys' | 'admins' | 'senders' | 'channels'): string[] {
    return [secretArn(Stack.of(this), `${secretNames[of](this.prefix)}*`)];
  }
}

/** ARN of a secret of this account by its name, which may end in a wildcard. */
export function secretArn(stack: Stack, name: string): string {
  return `arn:${stack.partition}:secretsmanager:${stack.region}:${stack.account}:secret:${name}`;
}
