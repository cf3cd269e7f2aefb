/** A vendor's instant as ISO 8601 in UTC, or undefined when it gave none that can be read. */
export function instantOf(content: unknown, format: 'iso8601' | 'epochS' | 'epochMs'): string | undefined {
  if (content === undefined || content === null || content === '') return undefined;
  const date = format === 'iso8601' ? new Date(String(content)) : new Date(Number(content) * (format === 'epochS' ? 1000 : 1));
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}
