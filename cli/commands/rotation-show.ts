import { Command } from 'commander';
import { checkKeyId } from '../../core/key-id.ts';
import type { Progress, RotationView } from '../../core/rotate/show-rotation.ts';
import { exits } from '../ending.ts';
import { table } from '../output.ts';
import { action, examples } from '../session.ts';

/** `rekey rotation show`: who has moved, who has not, since when, and whose pager it is. */
export function rotationShow(): Command {
  return new Command('show')
    .description('show who has moved in a key’s open rotation, who has not, since when, and who was called')
    .argument('<key>', 'its id')
    .addHelpText('after', examples('rotation show payments/stripe', 'rotation show payments/stripe --json'))
    .action(
      action(async (session, _options, key) => {
        const view = await session.door.ask<RotationView>('rotation.show', { keyId: checkKeyId(key ?? '') });
        session.result(view, () => sheet(view));
        return exits.ok;
      }),
    );
}

function sheet(view: RotationView): string {
  const { keyId, operationId, state, step, startedAt, reason, oldVersion, newVersion, awaits, overlapUntil, overlapCapAt } = view;
  const lines = [
    `${keyId} is ${state}, ${operationId} at ${step}: version ${oldVersion} to ${newVersion}, since ${startedAt} (${reason})`,
    awaits === null
      ? 'Nobody has to prove anything yet.'
      : `Each is to prove that it uses version ${awaits}. Both versions work until ${overlapUntil ?? '-'} at least; at ${overlapCapAt ?? '-'}: ${atCap[view.atOverlapMax]}`,
    '',
    table(
      ['CONSUMER', 'OWNER', 'CONTACT', 'MOVED', 'LAST NOTICE'],
      view.consumers.map((one) => [one.consumer, one.owner, one.contact, movedText(one), noticeText(one)]),
    ),
    '',
    ...view.told.map(({ whom, at }) => `Told: ${whom}, ${at}`),
    ...(view.acknowledgedBy ? [`Taken by ${view.acknowledgedBy}`] : []),
  ];
  return lines.join('\n').trimEnd();
}

const atCap = {
  hold: 'both stay, and people are called',
  'roll-back': 'all go back to the old one',
  retire: 'the old one is retired anyway',
} as const;

const movedText = ({ moved }: Progress): string => (moved ? `${moved.at}, ${moved.proof}` : 'no proof yet');

function noticeText({ notice }: Progress): string {
  if (!notice) return '-';
  const { type, sentAt, heardAt, movedAt, failedAt, message } = notice;
  if (failedAt && failedAt > movedAt) return `${type}: failed ${failedAt}${message ? `, "${message}"` : ''}`;
  if (movedAt) return `${type}: answered ${movedAt}`;
  if (heardAt) return `${type}: heard ${heardAt}`;
  return sentAt ? `${type}: sent ${sentAt}` : `${type}: not sent yet`;
}
