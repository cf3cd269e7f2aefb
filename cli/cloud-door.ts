import { Refused } from '../core/errors.ts';
import { secretNames } from '../functions/secret-names.ts';
import { type Deployment, type DeploymentOptions, findDeployment } from './deployment.ts';
import { type Door, post } from './door.ts';

/** Most seconds to wait for an answer: a little more than a function may run. */
const askSeconds = 70;
const awsSeconds = 10;

/** Whoever contains an incident goes through the responders' door first: it depends on the least. */
const responders: ReadonlySet<string> = new Set(['revoke', 'revoke.find', 'reissue']);
/** Both doors take these; who may use one of them only is served by that one. */
const either: ReadonlySet<string> = new Set([...responders, 'key.show', 'status']);
/** These only look; and containing a leak is never stopped by a check of ours: AWS itself decides. */
const unchecked: ReadonlySet<string> = new Set([...either, 'key.list', 'key.explain', 'key.history']);

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
      if (!unchecked.has(request)) await rightAccount();
      const [first, second] = responders.has(request)
        ? [deployment.intakeUrl, deployment.operateUrl]
        : [deployment.operateUrl, deployment.intakeUrl];
      try {
        return await send<Result>(deployment, first, request, input);
      } catch (error) {
        const refused = error instanceof Refused && error.code === 'E_FORBIDDEN';
        if (!refused || !either.has(request) || first === second) throw error;
        return send<Result>(deployment, second, request, input);
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

async function send<Result>({ region }: Deployment, base: string, request: string, input: object): Promise<Result> {
  const url = new URL(`requests/${request}`, base.endsWith('/') ? base : `${base}/`);
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
    service: 'lambda',
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
