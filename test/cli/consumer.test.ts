import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Installation, localInstallation } from '../support/local-installation.ts';

let here: Installation;
beforeAll(async () => {
  here = await localInstallation();
  await here.rekey(['key', 'add', '-f', here.keyFile('map.yaml', 'map/one'), '--mint']);
  const state = async () => JSON.parse((await here.rekey(['key', 'show', 'map/one', '--json'])).stdout).state;
  while ((await state()) !== 'active') await pause(200);
});
afterAll(() => here.stop());

const add = (...more: string[]) =>
  here.rekey(['consumer', 'add', 'map/one', '--owner', 'team-mail', '--contact', '#mail', '--refresh', 'PT5M', '--json', ...more]);

test('a consumer is put on the map, brought up to date, listed and taken off', async () => {
  const added = await add('--name', 'mailer');
  expect([added.code, JSON.parse(added.stdout)]).toEqual([0, { keyId: 'map/one', consumer: 'mailer', outcome: 'added' }]);
  expect(JSON.parse((await add('--name', 'mailer', '--class', 'restart-only', '--deploy', 'PT10M')).stdout)).toMatchObject({
    outcome: 'changed',
  });
  const listed = await here.rekey(['consumer', 'list', 'map/one']);
  expect(listed.stdout).toMatch(/map\/one +mailer +team-mail +#mail +PT5M \+ PT10M +restart-only +possession +never/);
  expect(JSON.parse((await here.rekey(['consumer', 'list', '--json'])).stdout)).toHaveLength(2);
  const removed = await here.rekey(['consumer', 'remove', 'map/one', 'mailer']);
  expect([removed.code, removed.stdout.trim()]).toEqual([0, 'mailer is off the map of map/one; 1 left.']);
  expect(await here.rekey(['consumer', 'remove', 'map/one', 'mailer'])).toMatchObject({ code: 3 });
});

test('what keeps a consumer from ever moving is refused with its place, and a duration that is none before anything is asked', async () => {
  const blind = await add('--name', 'pods', '--class', 'restart-only');
  expect([blind.code, blind.stderr]).toEqual([2, expect.stringContaining('how long it takes until all of it was started again')]);
  expect(await add('--name', 'x', '--deploy', 'soon')).toMatchObject({ code: 2, stderr: expect.stringContaining('PT5M') });
  expect(await add('--name', 'x', '--class', 'sleepy')).toMatchObject({ code: 2 });
});

test('an open rotation shows who has not moved, whose it is, and what happens at the cap', async () => {
  expect(await here.rekey(['rotation', 'show', 'map/one'])).toMatchObject({ code: 5 });
  const rotate = () => here.rekey(['rotate', 'map/one', '--reason', 'trying it', '--yes']);
  while ((await rotate()).code !== 0) await pause(500);
  const show = async () => here.rekey(['rotation', 'show', 'map/one']);
  while (!(await show()).stdout.includes('Each is to prove')) await pause(300);
  const { code, stdout } = await show();
  expect(code).toBe(0);
  expect(stdout).toMatch(/^map\/one is rotating, rotate-[a-z2-7]+ at confirm: version 1 to 2/);
  expect(stdout).toContain('both stay, and people are called');
  expect(stdout).toMatch(/checkout +team-shop +shop@example\.test +no proof yet +key\.issued: sent /);
  const view = JSON.parse((await here.rekey(['rotation', 'show', 'map/one', '--json'])).stdout);
  expect(view).toMatchObject({ awaits: 2, consumers: [{ consumer: 'checkout', moved: null }] });
});
