import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { Refused } from '../../core/errors.ts';
import { leakSources } from '../../core/leak-sources.ts';
import type { ReportCounts, Taken } from '../../core/reports/report.ts';
import { type Finding, readScan } from '../../requests/senders/scanners.ts';
import { exits } from '../ending.ts';
import { table } from '../output.ts';
import { action, examples, type GlobalOptions, type Session } from '../session.ts';

interface Options extends GlobalOptions {
  readonly file?: string;
  readonly where?: string;
  readonly departure?: string;
  readonly vendorEnd?: string;
  readonly systemChange?: string;
  readonly suspicious?: string;
  readonly says?: string;
  readonly id?: string;
  readonly dryRun?: boolean;
}

/** `rekey report`: tells Rekey of something outside. The policy decides what it does. */
export function report(): Command {
  return new Command('report')
    .description('tell of a leak that a scanner found, somebody who left, a vendor that ends, a system that moved, use that looks wrong')
    .option('-f, --file <path>', 'a report of Gitleaks (JSON) or TruffleHog (--json); "-" for stdin')
    .option('--where <place>', `with a file: where it was found: ${leakSources.join(', ')} (repository)`)
    .option('--departure <person>', 'somebody left: what they owned gets another owner, and with what they could read it is rotated')
    .option('--vendor-end <provider>', 'a vendor is left: every key there is ended')
    .option('--system-change <service>', 'a service was reconfigured or moved: every key that it uses is rotated')
    .option('--suspicious <key>', 'a key is used in a way that looks wrong')
    .option('--says <text>', 'what happened, for the record')
    .option('--id <id>', 'the event’s own name: the same event again changes nothing')
    .option('--dry-run', 'say which keys it is about and what would be done, and do nothing')
    .addHelpText(
      'after',
      examples(
        'report -f gitleaks.json',
        'report --departure ada@example.com --says "left on 31 January" --dry-run',
        'report --vendor-end sendgrid --says "contract ended"',
        'report --suspicious payments/stripe --says "calls from a new country"',
      ),
    )
    .action(action<Options>(run));
}

async function run(session: Session, options: Options): Promise<number> {
  const { file, departure, vendorEnd, systemChange, suspicious } = options;
  const given = [file, departure, vendorEnd, systemChange, suspicious].filter((one) => one !== undefined);
  if (given.length !== 1) throw new Refused('E_USAGE', 'say one thing: --file, --departure, --vendor-end, --system-change or --suspicious');
  return file === undefined ? reportEvent(session, options) : reportScan(session, file, options);
}

/** Findings of one request: their strings stay well below the body's limit. */
const atOnce = 50;
const fileBytes = 64 * 1024 * 1024;

async function reportScan(session: Session, file: string, { where, dryRun }: Options): Promise<number> {
  let text: string;
  try {
    text = readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch {
    throw new Refused('E_INPUT_INVALID', `${file} cannot be read`);
  }
  if (text.length > fileBytes) throw new Refused('E_TOO_LARGE', `${file} is larger than ${fileBytes} bytes`);
  if (where !== undefined && !leakSources.some((one) => one === where))
    throw new Refused('E_USAGE', `--where must be one of ${leakSources.join(', ')}`);
  const { scanner, findings } = readScan(text);
  if (dryRun || findings.length === 0) {
    session.result({ scanner, findings: findings.length }, () => `${findings.length} finding(s) of ${scanner}. Nothing was reported.`);
    return exits.ok;
  }
  const total = { received: 0, matched: 0, unknown: 0, repeated: 0, acted: 0, queued: 0 };
  const taken: Taken[] = [];
  for (const part of parts(findings)) {
    const answer = await session.door.ask<ReportCounts & { taken: Taken[] }>('report.findings', {
      scanner,
      findings: part,
      ...(where === undefined ? {} : { where }),
    });
    for (const name of Object.keys(total) as (keyof typeof total)[]) total[name] += answer[name];
    taken.push(...answer.taken);
    session.redraw(`${total.received} of ${findings.length} findings …`);
  }
  return told(session, { scanner, ...total, taken });
}

function parts(findings: readonly Finding[]): Finding[][] {
  return Array.from({ length: Math.ceil(findings.length / atOnce) }, (_, i) => findings.slice(i * atOnce, (i + 1) * atOnce));
}

async function reportEvent(session: Session, options: Options): Promise<number> {
  const { departure, vendorEnd, systemChange, suspicious, says, id = randomUUID(), dryRun } = options;
  const event = {
    id,
    says: says ?? 'reported on the command line',
    ...(departure !== undefined
      ? { source: 'departure', subject: { person: departure } }
      : vendorEnd !== undefined
        ? { source: 'vendor-end', subject: { vendor: vendorEnd } }
        : systemChange !== undefined
          ? { source: 'system-change', subject: { service: systemChange } }
          : { source: 'suspicious-use', subject: { keyId: suspicious } }),
  };
  if (dryRun) {
    const would = await session.door.ask<{ keyId: string; as: string | null; owner: string; does: string; because: string }[]>(
      'report.preview',
      { event },
    );
    session.result(would, () =>
      would.length
        ? `${table(
            ['KEY', 'OWNER', 'AS', 'WOULD', 'BECAUSE'],
            would.map(({ keyId, owner, as, does, because }) => [keyId, owner, as ?? '-', does, because]),
          )}\nNothing was changed.`
        : 'It is about no key that Rekey knows.',
    );
    return exits.ok;
  }
  return told(session, await session.door.ask<ReportCounts & { taken: Taken[] }>('report.event', { event }));
}

function told(session: Session, answer: ReportCounts & { readonly taken: readonly Taken[]; readonly scanner?: string }): number {
  const { received, matched, unknown, queued, taken } = answer;
  session.result(answer, () =>
    [
      `${received} reported: ${matched} about keys that Rekey knows, ${unknown} about none${queued ? `, ${queued} wait for a responder (rekey reports list)` : ''}.`,
      ...(taken.length
        ? [
            table(
              ['KEY', 'VERSIONS', 'DONE', 'BECAUSE'],
              taken.map(({ keyId, versions, did, because }) => [keyId, versions.join(', ') || 'all', did, because]),
            ),
          ]
        : []),
    ].join('\n'),
  );
  return queued ? exits.needsPerson : exits.ok;
}
