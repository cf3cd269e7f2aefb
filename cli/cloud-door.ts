import type { Action } from '../core/authority.ts';
import { Refused } from '../core/errors.ts';
import { secretNames } from '../functions/secret-names.ts';
import { requests } from '../requests/requests.ts';
import { pathOf } from '../requests/routes.ts';
import { type Deployment, type DeploymentOptions, findDeployment } from './deployment.ts';
import { type Door, post } from './door.ts';

/** Most seconds to wait for an answer: a little more than the API waits for a function. */
const askSeconds = 35;
const awsSeconds = 10;

/** These only look; and containing a leak is never stopped by a check of ours: AWS itself decides. */
const unchecked: ReadonlySet<Action> = new Set<Action>(['read', 'revoke', 'reissue']);

const actionOf = (request: string): Action => requests[request]?.action ?? 'create';

/** A deployed installation, reached with the caller's own AWS credentials; every request is signed. */
export function cloudDoor(options: DeploymentOptions): Door {
  const deployment = findDeployment(options);
  let checked: Promise<void> | undefined;
  const rightAccount = () => {
    checked ??= checkAccount(deployment);
    return checked;
  };
  return {
    kind: 'deployed',
    name: `${deployment.stage} in ${deployment.region}`,
    async ask<Result>(request: string, input: object) {
      if (!unchecked.has(actionOf(request))) await rightAccount();
      try {
        return await send<Result>(deployment, request, input);
      } catch (error) {
        // The API says no more than "Forbidden" of credentials that have expired or are of another account.
        if (error instanceof Refused && error.code === 'E_FORBIDDEN') await rightAccount();
        throw error;
      }
    },
    async secrets() {
      if (!deployment.secretPrefix) throw new Refused('E_USAGE', 'where its secrets are is only known with --stage');
      await rightAccount();
      const [{ SecretsManagerClient }, { secretsManagerStore }] = await Promise.all([
        import('@aws-sdk/client-secrets-manager'),
        import('../adapters/aws/secret-store.ts'),
      ]);
      const client = new SecretsManagerClient({ region: deployment.region, maxAttempts: 1 });
      // Exactly where the functions look, under the same encryption. Who registers keys has no need to read their values.
      return secretsManagerStore({
        client,
        prefix: secretNames.keys(deployment.secretPrefix),
        callSeconds: awsSeconds,
        kmsKeyId: secretNames.encryptionAlias(deployment.stage),
        writeOnly: true,
      });
    },
  };
}

/** Throws Refused E_WRONG_ACCOUNT, naming both, unless the credentials are of the account that the stage is deployed to. */
async function checkAccount({ account, region, stage }: Deployment): Promise<void> {
  if (!account) return;
  const { GetCallerIdentityCommand, STSClient } = await import('@aws-sdk/client-sts');
  let mine: string | undefined;
  try {
    const client = new STSClient({ region, maxAttempts: 1 });
    mine = (await client.send(new GetCallerIdentityCommand({}), { abortSignal: AbortSignal.timeout(awsSeconds * 1000) })).Account;
  } catch (error) {
    throw badCredentials((error as Error).name);
  }
  if (mine !== account)
    throw new Refused(
      'E_WRONG_ACCOUNT',
      `${stage} is in account ${account}, and these credentials are of account ${mine}; nothing was sent`,
    );
}

async function send<Result>({ region, apiUrl }: Deployment, request: string, input: object): Promise<Result> {
  const url = new URL(pathOf(request, actionOf(request)), apiUrl.endsWith('/') ? apiUrl : `${apiUrl}/`);
  const body = JSON.stringify(input);
  const headers = await sign(url, region, body);
  return post(url.href, headers, body, askSeconds, `${url.host} cannot be reached: check the network and --stage`);
}

async function sign(url: URL, region: string, body: string): Promise<Record<string, string>> {
  const [{ SignatureV4 }, { Sha256 }, { defaultProvider }] = await Promise.all([
    import('@smithy/signature-v4'),
    import('@aws-crypto/sha256-js'),
    import('@aws-sdk/credential-provider-node'),
  ]);
  const signer = new SignatureV4({
    service: 'execute-api',
    region,
    sha256: Sha256,
    credentials: defaultProvider({ timeout: awsSeconds * 1000 }),
  });
  try {
    const signed = await signer.sign({
      method: 'POST',
      protocol: url.protocol,
      hostname: url.hostname,
      path: url.pathname,
      headers: { host: url.host, 'content-type': 'application/json' },
      body,
    });
    const { host: _host, ...headers } = signed.headers;
    return headers;
  } catch (error) {
    throw badCredentials((error as Error).name);
  }
}

function badCredentials(reason: string): Refused {
  return new Refused(
    'E_CREDENTIALS',
    `no usable AWS credentials (${reason}): sign in (aws sso login, or AWS_PROFILE), then repeat the command`,
  );
}
