import { Transform } from 'node:stream';
import { TextDecoder } from 'node:util';
import { Refused } from '../../core/errors.ts';

/** Bytes that must be text in UTF-8, as text. Any other encoding ends it with Refused E_INPUT_INVALID that says how to convert it. */
export function utf8(path: string): Transform {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const decode = (bytes: Buffer | undefined): string => {
    try {
      const text = decoder.decode(bytes, { stream: bytes !== undefined });
      if (!text.includes('\0')) return text;
    } catch {
      // Said below.
    }
    throw new Refused('E_INPUT_INVALID', `${path} is not text in UTF-8`, [
      { path, message: 'save it as UTF-8, or convert it: iconv -f UTF-16 -t UTF-8, or -f LATIN1' },
    ]);
  };
  return new Transform({
    encoding: 'utf8',
    transform(bytes, _encoding, done) {
      attempt(() => decode(bytes), done);
    },
    flush(done) {
      attempt(() => decode(undefined), done);
    },
  });
}

function attempt(work: () => string, done: (error: Error | null, text?: string) => void): void {
  try {
    done(null, work());
  } catch (error) {
    done(error as Error);
  }
}
