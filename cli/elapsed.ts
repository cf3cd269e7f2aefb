/** A stopwatch's reading: `3.2 s`, `2 m 05 s`, `1 h 02 m`. */
export function ago(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${String(Math.floor(seconds % 60)).padStart(2, '0')} s`;
  return `${Math.floor(seconds / 3600)} h ${String(Math.floor((seconds % 3600) / 60)).padStart(2, '0')} m`;
}

/** A length of time as one says it: `about 40 seconds`, `about 5 minutes`, `about 3 hours`, `about 2 days`. */
export function about(seconds: number): string {
  const units: readonly [number, string][] = [
    [86_400, 'day'],
    [3600, 'hour'],
    [60, 'minute'],
    [1, 'second'],
  ];
  const [size, unit] = units.find(([length]) => seconds >= 2 * length) ?? [1, 'second'];
  const count = Math.max(1, Math.ceil(seconds / size));
  return `about ${count} ${unit}${count === 1 ? '' : 's'}`;
}
