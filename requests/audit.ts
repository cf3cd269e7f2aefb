import * as z from 'zod/mini';
import { listChains, readChain, readSeals } from '../core/seal/show-chains.ts';
import { keyId } from './fields.ts';
import { answered, pageFields, pageRequest } from './page.ts';
import { type Request, request } from './request.ts';

const behind = z.exactOptional(z.int().check(z.minimum(0)));
const journalName = z.string().check(z.regex(/^(INSTALLATION|BULKS#LOG|BREAKGLASS|UNMANAGED#[a-z0-9._-]{1,64})$/, 'must be a journal'));

/** The audit chains as they are found, and the seals over them, for whoever checks them: rows of THE TABLE in requests.ts. */
export const audit: Readonly<Record<string, Request>> = {
  'audit.chains': request('read', z.strictObject(pageFields), async (ports, input) =>
    answered(await listChains(ports, pageRequest(input))),
  ),
  'audit.entries': request(
    'read',
    z.strictObject({ keyId: z.exactOptional(keyId()), journal: z.exactOptional(journalName), behind }),
    (ports, input) => readChain(ports, input),
  ),
  'audit.seals': request('read', z.strictObject({ behind }), (ports, input) => readSeals(ports, input.behind ?? 0)),
};
