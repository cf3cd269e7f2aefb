import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { Command } from 'commander';
import { stringify } from 'yaml';
import { Refused } from '../../core/errors.ts';
import { checkLive, type Observed } from '../../local/desk/live-check.ts';
import { exits } from '../ending.ts';
import { confirmByName, secondsOf } from '../input.ts';
import { localFolder } from '../local-door.ts';
import { action, examples, type GlobalOptions } from '../session.ts';
import { writing } from '../write-file.ts';

interface Options extends GlobalOptions {
  readonly account: string;
  readonly param: readonly string[];
  readonly confirm?: string;
  readonly every?: number;
  readonly out?: string;
}

/** `rekey provider probe`: one throw-away key at the real vendor, from its creation to its deletion, with the times that were seen. */
export function providerProbe(): Command {
  return new Command('probe')
    .description(
      'with real credentials: create one throw-away key, see it accepted, disable it, see it refused, delete it; write down the times',
    )
    .argument('<provider>', 'its name')
    .option('--account <name>', 'whose admin credential, from admin/<provider>/<account>.json of the local folder', 'default')
    .option('--param <name=value...>', "a parameter as in a key's file; JSON where it is no text", [])
    .option('--confirm <provider>', "the provider's name, where nobody can be asked to type it")
    .option('--every <seconds>', "between two probes, instead of the spec's own pace", secondsOf)
    .option('--out <file>', 'where to write what was seen; <provider>.observed.yaml otherwise')
    .addHelpText(
      'after',
      examples(
        'provider probe sendgrid --param \'scopes=["mail.send"]\'',
        'provider probe sandbox --param principal=probe --confirm sandbox',
      ),
    )
    .action(
      action<Options>(async (session, options, name = '') => {
        const { localProviders } = await import('../../local/desk/desk.ts');
        const provider = localProviders(localFolder()).find(name);
        const params = Object.fromEntries(options.param.map(parameterOf));
        await confirmByName(name, options.confirm, `This makes and ends one key at the real vendor. Type ${name} to go on`);
        const random = randomBytes(16).toString('hex');
        const observed = await checkLive({
          provider,
          subject: { keyId: 'provider/probe', account: options.account, params },
          label: `rekey-throw-away-${random.slice(0, 8)}`,
          random,
          say: session.note,
          ...(options.every === undefined ? {} : { everySeconds: options.every }),
        });
        const file = options.out ?? `${name}.observed.yaml`;
        await writing(file, () => writeFileSync(file, stringify({ facts: factsOf(observed), observed })));
        session.result({ ...observed, file }, () => told(observed, file));
        return observed.neverIssued === 'denied' && observed.listAsBefore ? exits.ok : exits.unproven;
      }),
    );
}

function told(seen: Observed, file: string): string {
  return [
    `Accepted after ${seen.acceptedAfterSeconds} s, refused after ${seen.refusedAfterSeconds} s, ${seen.flickers} flicker(s).`,
    `The label ${seen.labelListed ? 'is' : 'is NOT'} listed; a value that was never issued is ${seen.neverIssued}; the list is ${seen.listAsBefore ? 'as it was before' : 'NOT as it was before'}.`,
    `Wrote ${file}: its facts can go into the spec.`,
  ].join('\n');
}

/** Lines for the spec's own list of facts. One look says that it works, and how long it took once. */
function factsOf({ provider, on, acceptedAfterSeconds, refusedAfterSeconds }: Observed) {
  return [
    {
      about: ['create', 'list', 'probe', 'disable', 'delete', 'propagation'],
      is: 'observed',
      source: `rekey provider probe ${provider}`,
      on,
      note: `accepted after ${acceptedAfterSeconds} s, refused after ${refusedAfterSeconds} s, seen once`,
    },
  ];
}

function parameterOf(given: string): [string, unknown] {
  const [, name, text] = /^([A-Za-z][\w-]{0,63})=([\s\S]*)$/.exec(given) ?? [];
  if (name === undefined || text === undefined) throw new Refused('E_USAGE', '--param takes name=value');
  try {
    return [name, /^[[{\d]|^(true|false)$/.test(text) ? JSON.parse(text) : text];
  } catch {
    return [name, text];
  }
}
