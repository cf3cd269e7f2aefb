import * as z from 'zod/mini';
import { tiers } from '../core/key.ts';
import { pauseSchedule, resumeSchedule } from '../core/pause.ts';
import { listFindings } from '../core/policy/findings-of-all.ts';
import { showPolicy } from '../core/policy/show-policy.ts';
import { exportKeys, searchKeys } from '../core/search.ts';
import { status } from '../core/show.ts';
import { text } from './fields.ts';
import { answered, pageFields, pageRequest } from './page.ts';
import { type Request, reason, request } from './request.ts';

const instant = z.iso.datetime({ message: 'must be an instant in UTC, like 2027-01-31T00:00:00Z' });
/** A name, in which `*` stands for any characters. */
const pattern = text(200);

const filter = {
  id: z.exactOptional(pattern),
  owner: z.exactOptional(pattern),
  team: z.exactOptional(pattern),
  unit: z.exactOptional(pattern),
  vendor: z.exactOptional(pattern),
  service: z.exactOptional(pattern),
  environment: z.exactOptional(pattern),
  tier: z.exactOptional(z.enum(tiers)),
  state: z.exactOptional(
    z.enum(['registered', 'active', 'rotating', 'rolling-back', 'revoking', 'contained', 'reissuing', 'offboarding', 'retired']),
  ),
  due: z.exactOptional(z.boolean()),
  dueBefore: z.exactOptional(instant),
  olderThanDays: z.exactOptional(z.int().check(z.minimum(0), z.maximum(36_500))),
  breaks: z.exactOptional(pattern),
};

/** What is asked about many keys at once, page by page, and about the policy that all of them are under: rows of THE TABLE in requests.ts. */
export const fleet: Readonly<Record<string, Request>> = {
  'key.list': request('read', z.strictObject({ ...filter, ...pageFields }), async (ports, { behind, limit, ...wanted }) =>
    answered(await searchKeys(ports, wanted, pageRequest({ behind, limit }))),
  ),
  'key.export': request('read', z.strictObject({ ...filter, ...pageFields }), async (ports, { behind, limit, ...wanted }) =>
    answered(await exportKeys(ports, wanted, pageRequest({ behind, limit }))),
  ),
  findings: request('read', z.strictObject(pageFields), async (ports, input) => answered(await listFindings(ports, pageRequest(input)))),
  status: request('read', z.strictObject(pageFields), async (ports, input) => {
    const { next, ...rest } = await status(ports, pageRequest(input));
    return { ...rest, next: answered({ rows: [], looked: 0, next }).next };
  }),
  'policy.show': request('read', z.strictObject({}), (ports) => showPolicy(ports)),
  pause: request('hold', z.strictObject({ reason, until: instant }), pauseSchedule),
  resume: request('hold', z.strictObject({ reason }), resumeSchedule),
};
