import type { Description } from './engine.ts';
import { awsApiGateway } from './fakes/aws-api-gateway.ts';
import { cloudflareAccountToken } from './fakes/cloudflare-account-token.ts';
import { datadogApiKey } from './fakes/datadog-api-key.ts';
import { datadogApplicationKey } from './fakes/datadog-application-key.ts';
import { entraAppPassword } from './fakes/entra-app-password.ts';
import { githubDeployKey } from './fakes/github-deploy-key.ts';
import { githubToken } from './fakes/github-token.ts';
import { gitlabGroupToken, gitlabProjectToken } from './fakes/gitlab-token.ts';
import { launchdarklySdkKey, launchdarklyToken } from './fakes/launchdarkly.ts';
import { oktaClientSecret } from './fakes/okta-client-secret.ts';
import { openaiAdminKey, openaiServiceAccount } from './fakes/openai.ts';
import { sendgrid } from './fakes/sendgrid.ts';
import { twilioApiKey } from './fakes/twilio-api-key.ts';

/** Every vendor that Rekey ships a spec for, as its documentation describes it: first those that have a second key beside the first. */
export const beside: readonly Description[] = [
  sendgrid,
  datadogApiKey,
  datadogApplicationKey,
  cloudflareAccountToken,
  twilioApiKey,
  gitlabProjectToken,
  gitlabGroupToken,
  openaiServiceAccount,
  openaiAdminKey,
  oktaClientSecret,
  entraAppPassword,
  launchdarklyToken,
];

/** The vendor that ends the old key itself, and the one where only a leaked value can be ended. */
export const grace = launchdarklySdkKey;
export const revokeOnly = githubToken;

/** Providers that are code, held to the same vendors. IAM has its own, which checks signatures (test/contract/aws-iam.test.ts). */
export const native: readonly Description[] = [awsApiGateway, githubDeployKey];
