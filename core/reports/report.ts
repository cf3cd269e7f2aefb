import type { LeakSource } from '../leak-sources.ts';
import type { Confidence, TriggerAction, TriggerSource } from '../policy.ts';
import type { Value } from '../value.ts';

/** What a report is about. A string is in memory for the search and nowhere else; `like`: the providers whose value it surely is. */
export type ReportSubject =
  | { readonly leaked: Value; readonly like: () => readonly string[] }
  | { readonly provider: string | null; readonly credentialId: string }
  | { readonly keyId: string }
  | { readonly person: string }
  | { readonly vendor: string }
  | { readonly service: string };

/** Something from outside that may call for a revocation, in the one form that every sender's own is turned into. */
export interface Report {
  readonly source: TriggerSource;
  /** Who sent it: `github`, `github-partner`, `aws-health`, `guardduty`, `gitleaks`, `trufflehog`, or the name of a sender of generic events. */
  readonly sender: string;
  /** The sender's own name for it: the same event again is the same report. */
  readonly eventId: string;
  /** How sure the sender is. A value that is recognised by its fingerprint is sure, whoever says so. */
  readonly confidence: Confidence;
  readonly where: LeakSource;
  readonly subject: ReportSubject;
  /** Found in a place of the organisation's own: a string that no key has, but looks like a vendor's value, is worth a case. */
  readonly own: boolean;
  /** In the sender's words, for people: never a secret, one line. */
  readonly says: string;
  /** A place to look, where the sender names one. */
  readonly evidence: string;
  /** When the sender says that it happened (ISO instant); empty when it does not. */
  readonly at: string;
}

/** What became of a report about one key. `known`: the same report was taken before; `joined`: what it names is being
 * ended already; `queued`: its sender has used up its budget for now. */
export type ReportOutcome = TriggerAction | 'known' | 'joined' | 'queued' | 'dead already';

/** What was done for one key. */
export interface Taken {
  readonly keyId: string;
  readonly versions: readonly number[];
  readonly did: ReportOutcome;
  readonly because: string;
}

/** What a batch of reports came to: numbers only, so that no answer tells a stranger which of their strings are somebody's. */
export interface ReportCounts {
  readonly received: number;
  /** Belonged to a key. */
  readonly matched: number;
  readonly unknown: number;
  readonly repeated: number;
  /** Led to a revocation, a rotation or a case; and waits until a responder releases it. */
  readonly acted: number;
  readonly queued: number;
}
