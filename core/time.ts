/** Instants are ISO 8601 in UTC with milliseconds, so that they compare as strings. */
export function instant(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

/** Milliseconds since 1970 of an instant. */
export function milliseconds(at: string): number {
  return Date.parse(at);
}

/** The instant `seconds` after another. */
export function after(at: string, seconds: number): string {
  return instant(milliseconds(at) + seconds * 1000);
}
