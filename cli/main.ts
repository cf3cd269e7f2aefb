import { Command, CommanderError } from 'commander';
import { Refused, refusals } from '../core/errors.ts';
import { acknowledge } from './commands/acknowledge.ts';
import { approve } from './commands/approve.ts';
import { auditVerify } from './commands/audit-verify.ts';
import { breakGlassImport } from './commands/break-glass-import.ts';
import { breakGlassPrepare } from './commands/break-glass-prepare.ts';
import { bulkList, bulkProofs, bulkResume } from './commands/bulk.ts';
import { certificate } from './commands/certificate.ts';
import { confirm } from './commands/confirm.ts';
import { consumerAdd, consumerList, consumerRemove } from './commands/consumer.ts';
import { doctor } from './commands/doctor.ts';
import { drill } from './commands/drill.ts';
import { evidence } from './commands/evidence.ts';
import { exceptionApprove, exceptionDecline, exceptionList, exceptionRequest } from './commands/exception.ts';
import { exportCommand } from './commands/export.ts';
import { findings } from './commands/findings.ts';
import { history } from './commands/history.ts';
import { hold } from './commands/hold.ts';
import { importCommand } from './commands/import.ts';
import { incidentClose, incidentList, incidentShow } from './commands/incident.ts';
import { inventoryReassert } from './commands/inventory-reassert.ts';
import { inventoryShow } from './commands/inventory-show.ts';
import { keyAdd } from './commands/key-add.ts';
import { keyExplain } from './commands/key-explain.ts';
import { keyList } from './commands/key-list.ts';
import { keyLive } from './commands/key-live.ts';
import { keyShow } from './commands/key-show.ts';
import { offboard } from './commands/offboard.ts';
import { pause } from './commands/pause.ts';
import { policyCheck } from './commands/policy-check.ts';
import { policyDiff } from './commands/policy-diff.ts';
import { policyExplain } from './commands/policy-explain.ts';
import { policyStatus } from './commands/policy-status.ts';
import { providerLint } from './commands/provider-lint.ts';
import { providerList } from './commands/provider-list.ts';
import { providerNew } from './commands/provider-new.ts';
import { providerProbe } from './commands/provider-probe.ts';
import { providerShow } from './commands/provider-show.ts';
import { providerTest } from './commands/provider-test.ts';
import { reissue } from './commands/reissue.ts';
import { report } from './commands/report.ts';
import { reportsList, reportsRelease } from './commands/reports.ts';
import { resume } from './commands/resume.ts';
import { reviewAnswer } from './commands/review-answer.ts';
import { reviewList } from './commands/review-list.ts';
import { reviewOpen } from './commands/review-open.ts';
import { revoke } from './commands/revoke.ts';
import { rollback } from './commands/rollback.ts';
import { rotate } from './commands/rotate.ts';
import { rotationShow } from './commands/rotation-show.ts';
import { simulate } from './commands/simulate.ts';
import { status } from './commands/status.ts';
import { whoCan } from './commands/who-can.ts';
import { exits } from './ending.ts';
import { Interrupted, refuseSecretArguments } from './input.ts';
import { openOutput } from './output.ts';
import about from './package.json' with { type: 'json' };
import { examples } from './session.ts';

/** Runs one command line and returns its exit code. Nothing it writes is a stack trace, and nothing is a value. */
export async function run(argv: readonly string[]): Promise<number> {
  survivePipes();
  const output = openOutput({ json: argv.includes('--json'), color: !argv.includes('--no-color') });
  try {
    refuseSecretArguments(argv);
    await program().parseAsync(argv, { from: 'user' });
    return Number(process.exitCode ?? exits.ok);
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return exits.ok;
      // The help was shown instead: nothing was asked for yet.
      if (error.code === 'commander.help') return exits.usage;
      output.failure(new Refused('E_USAGE', error.message.replace(/^error: /, '').replace(/\n+/g, ' ')));
      return exits.usage;
    }
    if (error instanceof Interrupted) return exits.interrupted;
    output.failure(error);
    return error instanceof Refused ? refusals[error.code] : exits.unexpected;
  }
}

function program(): Command {
  const key = group('key', 'register keys, and look at them').addHelpText(
    'after',
    examples('key add -f keys/', 'key list', 'key show payments/stripe'),
  );
  for (const command of [keyAdd(), keyList(), keyShow(), keyExplain(), keyLive()]) key.addCommand(settle(command));
  const consumer = group('consumer', 'the map of who uses a key').addHelpText(
    'after',
    examples('consumer list payments/stripe', 'consumer remove payments/stripe old-worker'),
  );
  for (const command of [consumerAdd(), consumerList(), consumerRemove()]) consumer.addCommand(settle(command));
  const rotation = group('rotation', 'an open rotation, and who it waits for').addHelpText(
    'after',
    examples('rotation show payments/stripe'),
  );
  rotation.addCommand(settle(rotationShow()));
  const inventory = group('inventory', 'the table itself, after it was restored from a backup').addHelpText(
    'after',
    examples('inventory show', 'inventory reassert --from prod-rekey-inventory'),
  );
  for (const command of [inventoryShow(), inventoryReassert()]) inventory.addCommand(settle(command));
  const glass = group('break-glass', 'for the day on which nothing answers but the vendor').addHelpText(
    'after',
    examples('break-glass prepare', 'revoke payments/stripe --break-glass', 'break-glass import'),
  );
  for (const command of [breakGlassPrepare(), breakGlassImport()]) glass.addCommand(settle(command));
  const review = group('review', 'what named people have to answer by a date').addHelpText(
    'after',
    examples('review list', 'review answer access-…'),
  );
  for (const command of [reviewList(), reviewAnswer(), reviewOpen()]) review.addCommand(settle(command));
  const bulk = group('bulk', 'revocations of many keys at once').addHelpText('after', examples('bulk list', 'bulk resume 0a1b2c3d-4e5f'));
  for (const command of [bulkList(), bulkResume(), bulkProofs()]) bulk.addCommand(settle(command));
  const reports = group('reports', 'reports from outside that wait for a responder').addHelpText(
    'after',
    examples('reports list', 'reports release'),
  );
  for (const command of [reportsList(), reportsRelease()]) reports.addCommand(settle(command));
  const provider = group('provider', 'the vendors that mint and kill keys: what they can do, and adding one').addHelpText(
    'after',
    examples('provider list', 'provider show sendgrid', 'provider new acme-mail', 'provider lint acme-mail.yaml'),
  );
  for (const command of [providerList(), providerShow(), providerNew(), providerLint(), providerTest(), providerProbe()])
    provider.addCommand(settle(command));
  const incident = group('incident', 'what happened, from the first report to the root cause').addHelpText(
    'after',
    examples('incident show payments/stripe', 'incident close payments/stripe --root-cause "…"'),
  );
  for (const command of [incidentList(), incidentShow(), incidentClose()]) incident.addCommand(settle(command));
  const policy = group('policy', 'the policy that runs: what it says, whether it holds, and what another one would change').addHelpText(
    'after',
    examples('policy status', 'policy check policy.yaml', 'policy diff policy.yaml', 'policy explain payments/stripe'),
  );
  for (const command of [policyStatus(), policyCheck(), policyDiff(), policyExplain()]) policy.addCommand(settle(command));
  const audit = group('audit', 'what happened, and whether the record of it is as it was written').addHelpText(
    'after',
    examples('audit verify', 'audit verify --seals /backup/seals --public-key rekey.pem'),
  );
  audit.addCommand(settle(auditVerify()));
  const exception = group(
    'exception',
    'rules that one key need not keep for a while: asked for, approved by somebody else, ending by themselves',
  ).addHelpText(
    'after',
    examples('exception request payments/stripe --rule rotation --until P30D --reason "…" --instead "…"', 'exception list'),
  );
  for (const command of [exceptionList(), exceptionRequest(), exceptionApprove(), exceptionDecline()])
    exception.addCommand(settle(command));
  const rekey = group('rekey', 'Keeps API keys young, and kills the leaked ones.')
    .version(about.version, '-V, --version', 'print the version')
    .option('--json', 'print one JSON document')
    .option('--no-color', 'no colours (NO_COLOR works too)')
    .option('-q, --quiet', 'only the answer')
    .option('--stage <stage>', 'a deployed installation, by the name of its rekey.<stage>.json')
    .option('--region <region>', 'the AWS region it must be in')
    .option('--url <url>', 'a deployed installation, by its address')
    .addHelpText(
      'after',
      `${examples('revoke --leaked -', 'key add -f keys/ --mint', 'rotate payments/stripe --wait', 'status')}\n\nExit codes: 0 done, 1 unexpected, 2 usage or input, 3 not found, 4 not allowed, 5 not now, 6 not verified,\n7 still running, 8 needs a person, 130 interrupted.`,
    );
  rekey.addCommand(key);
  rekey.addCommand(consumer);
  rekey.addCommand(rotation);
  rekey.addCommand(inventory);
  rekey.addCommand(glass);
  rekey.addCommand(review);
  rekey.addCommand(bulk);
  rekey.addCommand(incident);
  rekey.addCommand(reports);
  rekey.addCommand(policy);
  rekey.addCommand(exception);
  rekey.addCommand(audit);
  rekey.addCommand(provider);
  for (const command of [
    rotate(),
    rollback(),
    revoke(),
    certificate(),
    approve(),
    drill(),
    report(),
    reissue(),
    confirm(),
    hold(),
    pause(),
    resume(),
    findings(),
    importCommand(),
    exportCommand(),
    evidence(),
    offboard(),
    acknowledge(),
    history(),
    status(),
    simulate(),
    whoCan(),
    doctor(),
  ])
    rekey.addCommand(settle(command));
  return rekey;
}

function group(name: string, description: string): Command {
  return settle(new Command(name)).description(description);
}

/** Errors come back to `run`, which alone writes them; words that are nearly right are named. */
function settle(command: Command): Command {
  return command
    .exitOverride()
    .configureOutput({ outputError: () => undefined })
    .configureHelp({ showGlobalOptions: true })
    .showSuggestionAfterError();
}

/** A reader that has seen enough is no error: what was asked for goes on, and its exit code stays. */
function survivePipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') process.exitCode = exits.unexpected;
    });
  }
}
