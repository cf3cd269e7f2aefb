import * as z from 'zod/mini';
import { beginDrill, nextCanary } from '../core/drills/begin.ts';
import { canariesOf, listDrills } from '../core/drills/last.ts';
import { runbookOf } from '../core/drills/runbook.ts';
import { keyId, name } from './fields.ts';
import { type Request, request, requestId } from './request.ts';

/** Exercises: rows of THE TABLE in requests.ts. */
export const drills: Readonly<Record<string, Request>> = {
  'drill.begin': request(
    'drill',
    z.strictObject({ keyId: z.exactOptional(keyId()), fault: z.exactOptional(name()), requestId: z.exactOptional(requestId) }),
    async (ports, { keyId: wanted, fault, requestId: id = ports.randomId() }, actor) => {
      const canary = wanted ?? nextCanary(ports, await canariesOf(ports));
      return { keyId: canary, drill: await beginDrill(ports, { keyId: canary, requestId: id, fault }, actor) };
    },
  ),
  'drill.list': request('read', z.strictObject({}), (ports) => listDrills(ports)),
  'drill.runbook': request('read', z.strictObject({ keyId: keyId() }), (ports, input) => runbookOf(ports, input.keyId)),
};
