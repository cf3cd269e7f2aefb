import { Command } from 'commander';
import { Refused } from '../../core/errors.ts';
import { checkKeyId } from '../../core/key-id.ts';
import type { Revoked } from '../../core/revoke/begin.ts';
import { confirmByName } from '../input.ts';
import { action, examples } from '../session.ts';

interface Options {
  readonly decline?: boolean;
  readonly reason?: string;
  readonly confirm?: string;
}

/** `rekey approve`: somebody else's word on a planned revocation. */
export function approve(): Command {
  return new Command('approve')
    .description('approve a planned revocation that somebody else asked for, and carry it out; or decline it')
    .argument('<key>', 'its id')
    .option('--decline', 'nothing is revoked; needs --reason')
    .option('--reason <text>', 'with --decline: why, for the record')
    .option('--confirm <key>', 'the key’s name, where nobody can be asked to type it')
    .addHelpText('after', examples('approve payments/stripe', 'approve payments/stripe --decline --reason "still in use"'))
    .action(
      action<Options>(async (session, { decline, reason, confirm }, key = '') => {
        const keyId = checkKeyId(key);
        if (decline) {
          if (reason === undefined) throw new Refused('E_USAGE', 'say why with --reason');
          const declined = await session.door.ask<{ requestId: string }>('revoke.decline', { keyId, reason });
          session.result(declined, () => `Declined: nothing of ${keyId} was revoked.`);
          return 0;
        }
        await confirmByName(keyId, confirm, `This cannot be undone. Type ${keyId} to revoke it`);
        const revoked = await session.door.ask<Revoked>('revoke.approve', { keyId });
        session.result(revoked, () => `${keyId}: ${revoked.message}. Watch it: rekey key show ${keyId} --watch`);
        return 0;
      }),
    );
}
