import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import type { BreakGlassKey, BreakGlassPage } from '../../core/break-glass/prepare.ts';
import { Refused } from '../../core/errors.ts';
import { readYaml } from '../../requests/yaml-text.ts';
import { installationName } from '../break-glass/cut.ts';
import { type BreakGlassFolder, breakGlassFolder, signingKey, writeIndex } from '../break-glass/folder.ts';
import { findDeployment } from '../deployment.ts';
import { localFolder, runningInstance } from '../local-door.ts';
import { action, examples, type GlobalOptions, type Session } from '../session.ts';

interface Options extends GlobalOptions {
  readonly installation?: string;
}

/** `rekey break-glass prepare`: what a responder keeps for the day on which nothing answers but the vendor. */
export function breakGlassPrepare(): Command {
  return new Command('prepare')
    .description('keep the vendors’ ids of every key on this machine, and a key to sign with, for when nothing of Rekey answers')
    .option('--installation <folder>', 'the installation that was deployed: its provider specs and private hosts come along')
    .addHelpText('after', examples('break-glass prepare', 'break-glass prepare --stage prod --installation ./my-installation'))
    .action(action<Options>(run));
}

async function run(session: Session, options: Options): Promise<number> {
  const folder = breakGlassFolder(installationName(options));
  const { publicKey } = signingKey(folder);
  const { signer } = await session.door.ask<{ signer: string }>('break-glass.register', { publicKey });
  const keys: BreakGlassKey[] = [];
  let page: BreakGlassPage | undefined;
  do {
    page = await session.door.ask<BreakGlassPage>('break-glass.index', page?.next ? { after: page.next } : {});
    keys.push(...page.keys);
    session.redraw(`${keys.length} keys …`);
  } while (page.next);
  const local = session.door.kind === 'local';
  const privateHosts = takeAlong(folder, options.installation ?? (local ? localFolder() : undefined));
  const sandboxUrl = local ? runningInstance(localFolder()).sandboxUrl : undefined;
  const region = local ? undefined : findDeployment(options).region;
  await writeIndex(folder, {
    stage: page.stage,
    madeAt: page.madeAt,
    signer,
    local,
    privateHosts,
    keys,
    ...(sandboxUrl === undefined ? {} : { sandboxUrl }),
    ...(region === undefined ? {} : { region }),
  });
  const credentials = keys.reduce((sum, { versions }) => sum + versions.length, 0);
  session.result({ folder: folder.path, madeAt: page.madeAt, keys: keys.length, credentials, signer }, () =>
    [
      `${keys.length} keys with ${credentials} credentials are in ${folder.path}, as of ${page.madeAt}: ids only, no value, no fingerprint.`,
      'When nothing answers but the vendor: rekey revoke KEY --break-glass',
      'Prepare again every day: what is minted later is only found by the vendor’s own list.',
    ].join('\n'),
  );
  return 0;
}

/** The installation's own specs, the certificates that sign for its vendors, and their hosts. */
function takeAlong(folder: BreakGlassFolder, installation: string | undefined): readonly string[] {
  if (installation === undefined) return [];
  if (!existsSync(installation)) throw new Refused('E_INPUT_INVALID', `${installation} is no folder`);
  const providers = join(installation, 'providers');
  mkdirSync(folder.specs, { recursive: true, mode: 0o700 });
  for (const file of existsSync(providers) ? readdirSync(providers).filter((name) => /\.ya?ml$/.test(name)) : [])
    copyFileSync(join(providers, file), join(folder.specs, file));
  const authorities = join(installation, 'authorities.pem');
  if (existsSync(authorities)) copyFileSync(authorities, folder.authorities);
  const settings = join(installation, 'settings.yaml');
  if (!existsSync(settings)) return [];
  const [document] = readYaml(readFileSync(settings, 'utf8'), settings);
  const hosts = (document?.content as { privateHosts?: unknown } | undefined)?.privateHosts;
  return Array.isArray(hosts) ? hosts.filter((host) => typeof host === 'string') : [];
}
