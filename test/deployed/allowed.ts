import type { EndpointName } from './endpoint.ts';
import type { NotRun } from './journey.ts';

/** An alarm whose condition is produced under virtual time only (test/infra/alarms.test.ts): here it would take longer than everything else. */
const untold: readonly NotRun[] = [{ what: 'j: operation-stuck', why: 'an execution would have to be dropped twice' }];

/** Parts of journey j that rest on the vendor. */
const withVendor = ['consumer-silent', 'reports-waiting', 'revocation-not-contained'].map((alarm) => ({
  what: `j: ${alarm}`,
  why: 'its condition is a key of the vendor, which functions on AWS cannot reach',
}));

/**
 * What may be not run at each endpoint, and why: a capability, with every journey that needs it; the letter of a journey; or a part of one as it says
 * it itself. Anything else that is not run makes the command fail.
 */
export const allowed: Readonly<Record<EndpointName, readonly NotRun[]>> = {
  ministack: [
    { what: 'two-keys', why: 'its IAM lets a user have any number of access keys; no journey rests on the limit' },
    {
      what: 'i: point-in-time recovery',
      why: 'its CloudFormation leaves it off; that the template asks for it is a rule of the synthesis',
    },
    ...untold,
  ],
  localstack: [],
  aws: [{ what: 'vendor', why: 'functions on AWS cannot reach a vendor on the machine that runs the tests' }, ...withVendor, ...untold],
  'another endpoint': [],
};
