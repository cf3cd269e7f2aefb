import { existsSync } from 'node:fs';
import { APIGatewayClient } from '@aws-sdk/client-api-gateway';
import { IAMClient } from '@aws-sdk/client-iam';
import { apiGatewayProvider } from '../../adapters/providers/aws-api-gateway.ts';
import { iamProvider } from '../../adapters/providers/aws-iam.ts';
import { bundledSpecs, loadSpecs, providers } from '../../adapters/providers/registry.ts';
import type { Provider } from '../../core/ports.ts';
import type { Value } from '../../core/value.ts';
import { sandboxOrigin } from '../settings.ts';

interface BreakGlassOptions {
  /** Where the installation's own provider specs were copied to when break-glass was prepared. */
  readonly specs: string;
  /** Vendors on this machine may be used, and where the sandbox listens: of a laptop's installation only. */
  readonly allowLoopback: boolean;
  readonly sandboxUrl: string | undefined;
  /** `host:port` of vendors inside the organisation's network, and certificates (PEM) that sign for them. */
  readonly privateHosts: readonly string[];
  readonly authorities: string | undefined;
  /** The responder's own admin credential at the one provider in question; asked for only when a spec needs it. */
  readonly admin: () => Promise<Readonly<Record<string, Value>>>;
  readonly region: string | undefined;
}

/** The most one call to the provider takes, in seconds: a person waits for it. */
const callSeconds = 20;

/**
 * The composition root of break-glass: providers and nothing else, on the responder's own machine, with the responder's own rights. No
 * inventory, no secret store, no orchestrator: it is there for the day on which none of them answers.
 */
export function composeBreakGlass(options: BreakGlassOptions): (name: string) => Provider {
  const { specs, allowLoopback, sandboxUrl, privateHosts, authorities, admin, region } = options;
  const folders = [bundledSpecs, ...(existsSync(specs) ? [specs] : [])];
  const home = region ?? 'us-east-1';
  return providers({
    specs: loadSpecs(folders, { allowLoopback, privateHosts }),
    // With the AWS credentials of the shell: for AWS itself those are the admin credential.
    native: [
      iamProvider({ client: new IAMClient({ region: home, maxAttempts: 1 }), sts: { region: home }, callSeconds }),
      // Nothing is created here, so no stage is written on anything.
      apiGatewayProvider({ client: new APIGatewayClient({ region: home, maxAttempts: 1 }), region: home, stage: '', callSeconds }),
    ],
    admin,
    callSeconds,
    allowLoopback,
    privateHosts,
    ...(authorities === undefined ? {} : { authorities }),
    ...(sandboxUrl === undefined ? {} : { overrides: { sandbox: { origins: { [sandboxOrigin]: sandboxUrl } } } }),
  }).provider;
}
