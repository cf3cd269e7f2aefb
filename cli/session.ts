import { Command } from 'commander';
import { cloudDoor } from './cloud-door.ts';
import type { Door } from './door.ts';
import { localDoor } from './local-door.ts';
import { type Output, openOutput } from './output.ts';

/** Options that every command understands, before or after its name. */
export interface GlobalOptions {
  readonly json?: boolean;
  readonly color?: boolean;
  readonly quiet?: boolean;
  readonly url?: string;
  readonly stage?: string;
  readonly region?: string;
}

/** What a command works with. */
export interface Session extends Output {
  readonly door: Door;
}

/** What one command does; the number it returns is the exit code, 0 when it returns none. */
export type Work<Options> = (session: Session, options: Options & GlobalOptions, ...args: string[]) => Promise<number | undefined>;

/** Turns a command's work into what commander calls. A deployed installation is used when a stage or an address is named, this machine's otherwise. */
export function action<Options = object>(work: Work<Options>): (...given: unknown[]) => Promise<void> {
  return async (...given) => {
    const command = given.findLast((one) => one instanceof Command) as Command;
    const options = command.optsWithGlobals<Options & GlobalOptions>();
    let door: Door | undefined;
    const session: Session = {
      ...openOutput(options),
      get door() {
        door ??= options.stage !== undefined || options.url !== undefined ? cloudDoor(options) : localDoor();
        return door;
      },
    };
    process.exitCode = (await work(session, options, ...command.processedArgs)) ?? 0;
  };
}

/** Lines for the end of a command's help: what one types. */
export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ rekey ${line}`).join('\n')}`;
}
