import { afterEach, expect, it } from 'vitest';
import { getKey } from '../../core/items.ts';
import { registerKey } from '../../core/register.ts';
import { sweep } from '../../core/sweep.ts';
import { end } from '../support/operations.ts';
import { adopted, services, testFacts, type World, type WorldOptions, world } from '../support/world.ts';

let w: World;
afterEach(async () => await end(w));
const id = 'payments/stripe';
const key = () => getKey(w.ports, id);
const start = async (o: WorldOptions = {}, facts = testFacts()) => {
  w = world(o);
  await adopted(w, facts);
  services(w, facts);
};
const idle = async () => {
  const k = await key();
  return k.state === 'active' && !k.rotation && !k.revocation;
};

it('a key whose vendor end has passed is begun again by the sweep', async () => {
  const facts = testFacts({ expiresAt: '2026-01-05T20:00:00.000Z' });
  await start({}, facts);
  await w.pass(13 * 3600);
  await sweep(w.ports, { tier: 'medium' });
  await w.until(idle);
  await registerKey(w.ports, { ...facts, expiresAt: '2026-03-01T00:00:00.000Z' }, 'x');
  await w.pass(3 * 86_400);
  await sweep(w.ports, { tier: 'medium' });
  await w.pass(600);
  expect((await key()).current).toBe(3);
}, 120_000);
