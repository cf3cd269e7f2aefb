import type { Description } from './engine.ts';
import { cloudflareAccountToken } from './fakes/cloudflare-account-token.ts';
import { datadogApiKey } from './fakes/datadog-api-key.ts';
import { sendgrid } from './fakes/sendgrid.ts';
import { twilioApiKey } from './fakes/twilio-api-key.ts';

/** Every vendor that Rekey ships a spec for, as its documentation describes it. */
export const described: readonly Description[] = [sendgrid, datadogApiKey, cloudflareAccountToken, twilioApiKey];
