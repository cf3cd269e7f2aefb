/** Weeks, days, hours, minutes and whole seconds of ISO 8601. Years and months have no fixed length and are not accepted. */
const duration = /^P(?!$)(?:(\d{1,5})W)?(?:(\d{1,5})D)?(?:T(?!$)(?:(\d{1,6})H)?(?:(\d{1,7})M)?(?:(\d{1,9})S)?)?$/;

const secondsIn = { W: 604_800, D: 86_400, H: 3600, M: 60, S: 1 } as const;

/** The length of an ISO 8601 duration (`P30D`, `PT2H30M`) in seconds, or undefined when the text is not one. */
export function parseDuration(text: string): number | undefined {
  const found = duration.exec(text);
  if (!found) return undefined;
  return Object.values(secondsIn).reduce((sum, unit, index) => sum + Number(found[index + 1] ?? 0) * unit, 0);
}

/** The shortest ISO 8601 text of a whole number of seconds, in days, hours, minutes and seconds: `parseDuration` gives the number back. */
export function formatDuration(seconds: number): string {
  const [days, hours, minutes, rest] = [
    Math.floor(seconds / secondsIn.D),
    Math.floor((seconds % secondsIn.D) / secondsIn.H),
    Math.floor((seconds % secondsIn.H) / secondsIn.M),
    seconds % secondsIn.M,
  ];
  const time = `${hours ? `${hours}H` : ''}${minutes ? `${minutes}M` : ''}${rest ? `${rest}S` : ''}`;
  return days || time ? `P${days ? `${days}D` : ''}${time && `T${time}`}` : 'PT0S';
}
