import { Command } from 'commander';
import type { Consumer } from '../../core/consumer.ts';
import type { MapLine } from '../../core/consumers.ts';
import { Refused } from '../../core/errors.ts';
import { checkKeyId } from '../../core/key-id.ts';
import { formatDuration, parseDuration } from '../../requests/duration.ts';
import { table } from '../output.ts';
import { action, examples } from '../session.ts';

/** `rekey consumer list`: who uses a key, or every key. */
export function consumerList(): Command {
  return new Command('list')
    .description('list who uses a key, or every key: whose they are, how fast they move, when they were heard last')
    .argument('[key]', 'its id; all keys without it')
    .addHelpText('after', examples('consumer list payments/stripe', 'consumer list --json'))
    .action(
      action(async (session, _options, key) => {
        const lines = await session.door.ask<MapLine[]>('consumer.list', key === undefined ? {} : { keyId: checkKeyId(key) });
        session.result(lines, () =>
          lines.length
            ? table(
                ['KEY', 'CONSUMER', 'OWNER', 'CONTACT', 'REFRESH', 'CLASS', 'PROOF', 'HEARD LAST'],
                lines.map(({ keyId, name, owner, contact, refreshSeconds, deploySeconds, class: kind, proof, heardAt }) => [
                  ...[keyId, name, owner, contact],
                  `${formatDuration(refreshSeconds)}${deploySeconds ? ` + ${formatDuration(deploySeconds)}` : ''}`,
                  ...[kind, proof, heardAt ?? 'never'],
                ]),
              )
            : 'No consumer is registered: a rotated key keeps its old version until its owner decides.',
        );
        return 0;
      }),
    );
}

interface AddOptions {
  readonly name: string;
  readonly owner: string;
  readonly contact: string;
  readonly refresh: number;
  readonly class: Consumer['class'];
  readonly deploy?: number;
  readonly proof: Consumer['proof'];
}

/** `rekey consumer add`: puts a service on a key's map, or brings it up to date. */
export function consumerAdd(): Command {
  return new Command('add')
    .description('register a service that uses a key, or bring it up to date; from the next rotation on the key waits for it')
    .argument('<key>', 'its id')
    .requiredOption('--name <name>', 'its IAM role or user; on a laptop the name of its token')
    .requiredOption('--owner <owner>', 'who answers for it')
    .requiredOption('--contact <contact>', 'where its owner is reached')
    .requiredOption('--refresh <duration>', 'the longest until it uses what its destination holds, like PT5M', durationOf)
    .option('--class <class>', 'cached, long-running, batch or restart-only', 'cached')
    .option('--deploy <duration>', 'how long until all of it was restarted, like PT10M', durationOf)
    .option('--proof <proof>', 'possession, first-use or quiet', 'possession')
    .addHelpText(
      'after',
      examples("consumer add payments/stripe --name checkout --owner team-checkout --contact '#checkout' --refresh PT5M"),
    )
    .action(
      action<AddOptions>(async (session, { name, owner, contact, refresh, class: kind, deploy, proof }, key) => {
        const consumer: Consumer = {
          ...{ name, owner, contact, refreshSeconds: refresh, class: kind, proof },
          ...(deploy === undefined ? {} : { deploySeconds: deploy }),
        };
        const keyId = checkKeyId(key ?? '');
        const added = await session.door.ask<{ keyId: string; outcome: string }>('consumer.add', { keyId, consumer });
        session.result(added, () => `${name} on the map of ${keyId}: ${added.outcome}.`);
        if (added.outcome !== 'unchanged') session.note(`Say the same in the key's file, or its next "key add" takes it back.`);
        return 0;
      }),
    );
}

/** `rekey consumer remove`: takes a service off a key's map. */
export function consumerRemove(): Command {
  return new Command('remove')
    .description('take a service off a key’s map: no rotation waits for it any more')
    .argument('<key>', 'its id')
    .argument('<name>', 'the name it is registered under')
    .addHelpText('after', examples('consumer remove payments/stripe old-worker'))
    .action(
      action(async (session, _options, key, name) => {
        const keyId = checkKeyId(key ?? '');
        const removed = await session.door.ask<{ keyId: string; consumer: string; left: number }>('consumer.remove', { keyId, name });
        session.result(removed, () => `${removed.consumer} is off the map of ${keyId}; ${removed.left} left.`);
        if (removed.left === 0) session.note('Nobody is left to prove anything: the old version of its next rotation waits for its owner.');
        session.note(`Take it out of the key's file too, or its next "key add" brings it back.`);
        return 0;
      }),
    );
}

function durationOf(text: string): number {
  const seconds = parseDuration(text);
  if (!seconds) throw new Refused('E_USAGE', 'a duration is like PT5M, PT2H or P1D');
  return seconds;
}
