import { checkSpec } from '../../adapters/providers/check-spec.ts';
import { hasVendorSecret } from '../../core/secret-detector.ts';
import { environment } from '../../workflows/environment.ts';
import { about, type Rule } from './rule.ts';
import { dig, flat, type Part } from './template.ts';

const lambda = ['AWS::Lambda::Function'];
const declared: readonly string[] = Object.values(environment);

/** Switches by which Powertools would write down what goes in or comes out. */
const captures: readonly string[] = ['POWERTOOLS_TRACER_CAPTURE_RESPONSE', 'POWERTOOLS_LOGGER_LOG_EVENT'];

/** Rules about what functions are told, and about the providers that they talk to. */
export const functionRules: readonly Rule[] = [
  about(lambda, 'environment-undeclared', 'a function must get the variables of workflows/environment.ts and no others', (part) => {
    const names = Object.keys(variables(part)).filter((name) => !captures.includes(name));
    return names.length === declared.length && names.every((name) => declared.includes(name));
  }),
  about(lambda, 'value-in-environment', 'a variable may hold names and ARNs, never a value', (part) =>
    Object.values(variables(part)).every(
      (value) => !/\{\{resolve:(secretsmanager|ssm-secure)/.test(flat(value)) && !hasVendorSecret(flat(value)),
    ),
  ),
  about(lambda, 'answers-captured', 'no tool may write down what a function takes or answers', (part) =>
    captures.every((name) => ['undefined', 'false'].includes(String(variables(part)[name]))),
  ),
  about(
    [...lambda, 'AWS::StepFunctions::StateMachine'],
    'not-traced',
    'functions and workflows must be traced',
    ({ properties }) =>
      dig(properties, 'TracingConfig', 'Mode') === 'Active' || dig(properties, 'TracingConfiguration', 'Enabled') === true,
  ),
  {
    name: 'provider-without-https',
    must: 'a provider must be reached over HTTPS, at a public host or one that the installation lists',
    broken: ({ installation: { specs, privateHosts } }) =>
      specs.flatMap((spec) => {
        const faults = checkSpec(spec, { allowLoopback: false, privateHosts }).map(({ message }) => message);
        const local = spec.metadata.localOnly ? ['runs on this machine only'] : [];
        return [...local, ...faults].map((fault) => `${spec.metadata.id}: ${fault}`);
      }),
  },
];

function variables({ properties }: Part): Readonly<Record<string, unknown>> {
  return (dig(properties, 'Environment', 'Variables') ?? {}) as Record<string, unknown>;
}
