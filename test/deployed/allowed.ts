import type { EndpointName } from './endpoint.ts';
import type { NotRun } from './journey.ts';

/**
 * What may be not run at each endpoint, and why: a capability, the letter of a journey, or a part of one as it says it itself.
 * Anything else that is not run makes the command fail.
 */
export const allowed: Readonly<Record<EndpointName, readonly NotRun[]>> = {
  ministack: [{ what: 'two-keys', why: 'its IAM lets a user have any number of access keys; no journey rests on the limit' }],
  localstack: [],
  aws: [{ what: 'vendor', why: 'functions on AWS cannot reach a vendor on the machine that runs the tests' }],
  'another endpoint': [],
};
