import { createColors } from 'picocolors';
import { type Problem, Refused, RekeyError } from '../core/errors.ts';

/** Where the command line writes: what was asked for goes to stdout, everything said around it to stderr. */
export interface Output {
  readonly json: boolean;
  /** True when a person watches stderr: lines may be redrawn. */
  readonly live: boolean;
  readonly color: ReturnType<typeof createColors>;
  /** The one answer of a command: the document with `--json`, the text otherwise. */
  result(document: unknown, text: () => string): void;
  /** A line for the person in front of it. */
  note(text: string): void;
  /** Redraws the last line of stderr; an empty text removes it. Only when `live`. */
  redraw(text: string): void;
  /** Why it did not work: code, cause, what is wrong where. */
  failure(error: unknown): void;
}

export interface OutputOptions {
  readonly json?: boolean;
  readonly color?: boolean;
  readonly quiet?: boolean;
}

/** Colour and redrawing only for people: not with NO_COLOR, `--no-color` or `--json`, and not into a pipe. */
export function openOutput(options: OutputOptions): Output {
  const { json = false, quiet = false } = options;
  const live = Boolean(process.stderr.isTTY) && !json;
  const color = createColors(live && options.color !== false && !process.env['NO_COLOR']);
  let drawn = false;
  const clear = () => {
    if (drawn) process.stderr.write('\r\u001b[2K');
    drawn = false;
  };
  return {
    json,
    live,
    color,
    result(document, text) {
      clear();
      process.stdout.write(`${json ? JSON.stringify(document, null, 2) : printable(text())}\n`);
    },
    note(text) {
      clear();
      if (!quiet) process.stderr.write(`${printable(text)}\n`);
    },
    redraw(text) {
      clear();
      if (!live || quiet || !text) return;
      process.stderr.write(printable(text));
      drawn = true;
    },
    failure(error) {
      clear();
      const said = describe(error);
      if (json) process.stderr.write(`${JSON.stringify({ error: said }, null, 2)}\n`);
      else process.stderr.write(`${printable(asText(said, color))}\n`);
    },
  };
}

/** Columns as wide as their widest cell, under a heading. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = headings.map((heading, column) => Math.max(heading.length, ...rows.map((row) => (row[column] ?? '').length)));
  return [headings, ...rows]
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** The detail of an audit entry on one line. */
export const detailText = (detail: Readonly<Record<string, unknown>>): string =>
  Object.entries(detail)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');

/** A failure of the other side that is not the caller's fault, or one nobody named. */
export class Failed extends RekeyError {
  override readonly name = 'Failed';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

interface Said {
  readonly code: string;
  readonly message: string;
  readonly problems: readonly Problem[];
}

/** Only named errors say something of themselves: the message of any other may quote what must not be shown. */
function describe(error: unknown): Said {
  if (error instanceof Refused) return { code: error.code, message: error.message, problems: error.problems };
  if (error instanceof Failed) return { code: error.code, message: error.message, problems: [] };
  if (error instanceof RekeyError) return { code: error.name, message: error.message, problems: [] };
  const { code, name } = error as NodeJS.ErrnoException;
  return { code: 'E_INTERNAL', message: `something unexpected happened (${code ?? name})`, problems: [] };
}

function asText({ code, message, problems }: Said, color: Output['color']): string {
  const lines = problems.map((problem) => `  ${problem.path ? `${problem.path}: ` : ''}${problem.message}`);
  return [`${color.red(code)}: ${message}`, ...lines].join('\n');
}

/** Text from elsewhere cannot move the cursor, change colours or hide words; line ends and our own few colours stay. */
function printable(text: string): string {
  return text.replace(/\p{Cc}|\p{Cf}/gu, (character, offset: number) => {
    if (character === '\n') return character;
    if (character === '\u001b' && ownColor.test(text.slice(offset + 1, offset + 5))) return character;
    return `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;
  });
}

/** Bold, dim, red, green, yellow, and their ends. */
const ownColor = /^\[(?:1|2|22|31|32|33|39)m/;
