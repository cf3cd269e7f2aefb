import { execFile, execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const room = join(root, 'consumer');
const about = JSON.parse(readFileSync(join(room, 'package.json'), 'utf8')) as {
  exports: Record<string, string>;
  dependencies: Record<string, string>;
};
let project: string;

/** A project of somebody else's, with the package installed as it is published. */
beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), 'rekey-package-'));
  const installed = join(project, 'node_modules', '@rekey', 'consumer');
  mkdirSync(installed, { recursive: true });
  execFileSync(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', room, '--outDir', join(installed, 'dist')]);
  cpSync(join(room, 'package.json'), join(installed, 'package.json'));
  for (const name of ['@aws-sdk', '@aws-crypto', '@smithy', '@types', 'undici-types'])
    symlinkSync(join(root, 'node_modules', name), join(project, 'node_modules', name));
});
afterAll(() => rmSync(project, { recursive: true }));

describe('the library as a package', () => {
  test('needs nothing but the AWS SDK', () => {
    expect(Object.keys(about.dependencies).filter((name) => !/^@(aws-sdk|aws-crypto|smithy)\//.test(name))).toEqual([]);
  });

  test('is loaded as JavaScript by every name that it exports, and its main part without the SDK', async () => {
    const names = Object.keys(about.exports).map((name) => name.replace('.', '@rekey/consumer'));
    const text = `
      for (const name of ${JSON.stringify(names)}) console.log(name, Object.keys(await import(name)).sort().join(' '));
    `;
    writeFileSync(join(project, 'load.mjs'), text);
    const { stdout } = await promisify(execFile)(process.execPath, ['load.mjs'], { cwd: project });
    expect(stdout.trim().split('\n')).toEqual([
      '@rekey/consumer KeyRefused KeyStopped rekeyConsumer',
      '@rekey/consumer/notice noticeOf',
      '@rekey/consumer/http httpFeed httpReceipts',
      '@rekey/consumer/sns ForgedNotice signedNotices trustedNotices',
      '@rekey/consumer/sqs sqsFeed',
      '@rekey/consumer/lambda lambdaHandler',
      '@rekey/consumer/aws secretsManagerValues signedReceipts',
    ]);
    const main = readFileSync(join(project, 'node_modules', '@rekey', 'consumer', 'dist', 'consumer.js'), 'utf8');
    expect(main.match(/from '[^.][^']*'/g)?.every((from) => from.startsWith("from 'node:"))).toBe(true);
  });

  test('compiles in every example of the documentation', () => {
    const pages = ['README.md', 'docs/consumers.md'].map((page) => readFileSync(join(root, page), 'utf8'));
    const examples = pages.flatMap((page) => [...page.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code ?? ''));
    expect(examples.length).toBeGreaterThanOrEqual(4);
    examples.forEach((code, i) => {
      writeFileSync(join(project, `example-${i}.mts`), code);
    });
    const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024', '--skipLibCheck', '--types', 'node'];
    const files = examples.map((_code, i) => `example-${i}.mts`);
    const run = () =>
      execFileSync(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), ...options, ...files], { cwd: project });
    expect(run).not.toThrow();
  });
});
