/** A rule that one key need not keep until an instant: asked for by one person, approved by another, ending by itself. */
export interface Exception {
  readonly id: string;
  /** `rotation`: its schedule. Otherwise the name of the finding that is accepted meanwhile. */
  readonly rule: string;
  readonly reason: string;
  /** What is done instead. */
  readonly compensating: string;
  readonly requestedBy: string;
  readonly requestedAt: string;
  readonly until: string;
  readonly approvedBy: string | null;
  readonly approvedAt: string | null;
}

/** The approved exception that a key has from a rule now, or undefined. */
export function activeException(
  { exceptions }: { readonly exceptions: readonly Exception[] },
  rule: string,
  now: string,
): Exception | undefined {
  return exceptions.find((one) => one.rule === rule && one.approvedAt !== null && one.until > now);
}
