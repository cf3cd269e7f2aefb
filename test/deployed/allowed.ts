import type { EndpointName } from './endpoint.ts';
import type { NotRun } from './journey.ts';

/** Alarms whose condition is produced under virtual time only (test/infra/alarms.test.ts): here it would take longer than everything else. */
const untold: readonly NotRun[] = [
  { what: 'j: operation-stuck', why: 'an execution would have to be dropped twice' },
  { what: 'j: notices-waiting', why: 'the topic would have to refuse what the other journeys wait for' },
];

/**
 * What may be not run at each endpoint, and why: a capability, the letter of a journey, or a part of one as it says it itself.
 * Anything else that is not run makes the command fail.
 */
export const allowed: Readonly<Record<EndpointName, readonly NotRun[]>> = {
  ministack: [
    { what: 'two-keys', why: 'its IAM lets a user have any number of access keys; no journey rests on the limit' },
    {
      what: 'i: point-in-time recovery',
      why: 'its CloudFormation leaves it off; that the template asks for it is a rule of the synthesis',
    },
    ...['revocation-failed', 'doors-failing', 'firings-undelivered'].map((alarm) => ({
      what: `j: ${alarm}`,
      why: 'it watches a metric of AWS itself, which the emulator does not count',
    })),
    ...untold,
  ],
  localstack: [],
  aws: [...untold, { what: 'vendor', why: 'functions on AWS cannot reach a vendor on the machine that runs the tests' }],
  'another endpoint': [],
};
