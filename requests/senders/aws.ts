import { Refused } from '../../core/errors.ts';
import type { Report } from '../../core/reports/report.ts';
import { fieldOf, line, reportOf, textAt } from './sender.ts';

/** Event codes of AWS Health that say that credentials are out (docs.aws.amazon.com/health, service RISK). */
const exposed = new Set([
  'AWS_RISK_CREDENTIALS_EXPOSED',
  'AWS_RISK_CREDENTIALS_EXPOSURE_SUSPECTED',
  'AWS_RISK_CREDENTIALS_COMPROMISED',
  'AWS_RISK_CREDENTIALS_COMPROMISE_SUSPECTED',
  'AWS_RISK_IAM_QUARANTINE',
]);

/** GuardDuty's scale: 7 and above is high. Below 4 nobody is asked. */
const lowSeverity = 4;

/**
 * The reports in an event of AWS itself, as EventBridge delivers it: exposed access keys of AWS Health, findings of GuardDuty about long-term
 * keys. Events of other accounts are refused: the account in the envelope is AWS's own word, and nobody but AWS can send with a source that
 * begins with `aws.`. Throws Refused E_WRONG_ACCOUNT.
 */
export function awsReports(given: unknown, account: string): readonly Report[] {
  if (textAt(given, 'account') !== account) throw new Refused('E_WRONG_ACCOUNT', 'the event is of another account');
  const source = textAt(given, 'source');
  if (source === 'aws.health') return health(given);
  return source === 'aws.guardduty' ? guardDuty(given) : [];
}

function health(given: unknown): readonly Report[] {
  const code = textAt(given, 'detail', 'eventTypeCode') ?? '';
  if (!exposed.has(code)) return [];
  const affected = fieldOf(given, 'detail', 'affectedEntities');
  const ids = Array.isArray(affected) ? affected.map((one: unknown) => textAt(one, 'entityValue')) : [];
  const suspected = /SUSPECTED/.test(code);
  return ids.filter(isKeyId).map((credentialId) =>
    reportOf({
      source: 'leak',
      sender: 'aws-health',
      eventId: `${textAt(given, 'detail', 'eventArn') ?? textAt(given, 'id') ?? code}/${credentialId}`,
      subject: { provider: 'aws-iam', credentialId },
      // AWS found the secret itself, or says that it thinks so.
      confidence: suspected ? 'reported' : 'verified',
      where: 'repository',
      says: `${code} of an access key`,
      at: fieldOf(given, 'time'),
    }),
  );
}

function guardDuty(given: unknown): readonly Report[] {
  const detail = fieldOf(given, 'detail');
  const credentialId = textAt(detail, 'resource', 'accessKeyDetails', 'accessKeyId');
  const severity = Number(fieldOf(detail, 'severity'));
  // ASIA…: a temporary key, which cannot be deactivated and is none of ours.
  if (!isKeyId(credentialId) || !(severity >= lowSeverity)) return [];
  return [
    reportOf({
      source: 'suspicious-use',
      sender: 'guardduty',
      eventId: textAt(detail, 'id') ?? textAt(given, 'id') ?? '',
      subject: { provider: 'aws-iam', credentialId },
      says: `${line(textAt(detail, 'type') ?? 'a finding', 120)}, severity ${severity}`,
      at: fieldOf(given, 'time'),
    }),
  ];
}

const isKeyId = (id: string | undefined): id is string => id !== undefined && /^AKIA[A-Z2-7]{16}$/.test(id);
