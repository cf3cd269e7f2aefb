import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { Refused } from '../../core/errors.ts';
import { readKeyFile } from '../../requests/key-document.ts';
import type { Row } from './rows.ts';
import { utf8 } from './utf8.ts';

/** As many documents are parsed at once: enough to be quick, few enough to be small. */
const documentsAtOnce = 200;

/**
 * The keys of a YAML file with any number of documents, a few at a time, so that its size does not matter. What is wrong is told by the line of
 * the file. Throws what `readKeyFile` throws, for the whole file.
 */
export async function* yamlKeys(path: string): AsyncIterable<Row> {
  const input = createReadStream(path);
  const text = utf8(path);
  const failed = new Promise<never>((_, reject) => {
    input.on('error', (error) =>
      reject(new Refused('E_USAGE', `${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`)),
    );
    text.on('error', reject);
  });
  failed.catch(() => undefined);
  let [lines, documents, from, number]: [string[], number, number, number] = [[], 0, 0, 0];
  const lineReader = createInterface({ input: input.pipe(text), crlfDelay: Number.POSITIVE_INFINITY })[Symbol.asyncIterator]();
  for (;;) {
    const next = await Promise.race([lineReader.next(), failed]);
    if (next.done) break;
    if (/^---(\s|$)/.test(next.value)) {
      documents += 1;
      if (documents > documentsAtOnce) {
        yield* read(lines, path, from);
        [lines, documents, from] = [[], 1, number];
      }
    }
    lines.push(next.value);
    number += 1;
  }
  yield* read(lines, path, from);
}

function* read(lines: readonly string[], path: string, from: number): Iterable<Row> {
  if (lines.every((line) => /^\s*(#.*|---\s*)?$/.test(line))) return;
  // Empty lines in the place of what was read before keep the numbers those of the file.
  const { keys, rejected } = readKeyFile(`${'\n'.repeat(from)}${lines.join('\n')}\n`, path);
  yield* [...keys, ...rejected];
}
