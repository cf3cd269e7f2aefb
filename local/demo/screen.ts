import pc from 'picocolors';

/** What the demo prints: one line per thing that happened, with the seconds since the start, and on a terminal a last line that moves. */
export interface Screen {
  chapter(title: string): void;
  line(text: string): void;
  claim(text: string, holds: boolean, seen: string): void;
  /** What is being waited for; shown on a terminal only, until the next line. */
  waiting(text: string): void;
  /** A table with a heading row. */
  table(rows: readonly (readonly string[])[]): void;
}

export function openScreen(out: NodeJS.WriteStream = process.stdout): Screen {
  const started = Date.now();
  const live = out.isTTY && !process.env['CI'];
  let moving = false;
  const clock = () => pc.dim(`${((Date.now() - started) / 1000).toFixed(1).padStart(5)} s`);
  const print = (text: string) => {
    if (moving) out.write('\r\u001b[K');
    moving = false;
    out.write(`${text}\n`);
  };
  return {
    chapter: (title) => print(`\n${pc.bold(title)}`),
    line: (text) => print(`${clock()}  ${text}`),
    claim: (text, holds, seen) => print(`${clock()}  ${holds ? pc.green('✓') : pc.red('✗')} ${text} ${pc.dim(`(${seen})`)}`),
    waiting(text) {
      if (!live) return;
      // Ten columns are the clock's; a line that wraps could not be taken back.
      const fits = `… ${text}`.slice(0, Math.max(0, (out.columns || 80) - 11));
      out.write(`\r\u001b[K${clock()}  ${pc.dim(fits)}`);
      moving = true;
    },
    table(rows) {
      const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
      for (const [index, row] of rows.entries()) {
        const text = row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ');
        print(index === 0 ? pc.bold(text) : text);
      }
    },
  };
}
