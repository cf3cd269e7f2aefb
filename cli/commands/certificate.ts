import { Command } from 'commander';
import type { Certificates } from '../../core/certificate.ts';
import { Refused } from '../../core/errors.ts';
import { checkKeyId } from '../../core/key-id.ts';
import { showCertificates } from '../certificate-text.ts';
import { versionNumbers } from '../input.ts';
import { action, examples } from '../session.ts';

interface Options {
  readonly versions?: string;
}

/** `rekey certificate`: what is on record of how versions of a key died. */
export function certificate(): Command {
  return new Command('certificate')
    .description('show how versions of a key were proven dead: what was tried, when, with what answer')
    .argument('<key>', 'its id')
    .option('--versions <numbers>', 'of these versions only, like 3,4')
    .addHelpText('after', examples('certificate payments/stripe', 'certificate payments/stripe --versions 3 --json'))
    .action(
      action<Options>(async (session, { versions }, key) => {
        const keyId = checkKeyId(key ?? '');
        const wanted = versions === undefined ? undefined : versionNumbers(versions);
        const all = await session.door.ask<Certificates>('revoke.certificate', { keyId });
        const certificates = all.certificates.filter(({ version }) => wanted?.includes(version) ?? true);
        if (certificates.length === 0)
          throw new Refused('E_NOT_FOUND', `${keyId} has no version that was proven dead${wanted ? ' among these' : ' yet'}`);
        session.result({ ...all, certificates }, () => showCertificates({ ...all, certificates }));
        return 0;
      }),
    );
}
