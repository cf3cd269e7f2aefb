import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Value } from '../../core/value.ts';
import { startVendor } from './vendor.ts';

/**
 * Runs the sandbox vendor by itself: `node local/sandbox/main.ts --port 4010 --data-file vendor.jsonl --admin-key-file admin.key`.
 * The admin key is read from its file, or made and written there (readable by its owner only); it is never printed.
 */
const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '4010' },
    'data-file': { type: 'string' },
    'admin-key-file': { type: 'string', default: 'sandbox-admin.key' },
  },
});
const vendor = await startVendor({
  port: Number(values.port),
  adminKey: adminKeyIn(values['admin-key-file']),
  ...(values['data-file'] ? { dataFile: values['data-file'] } : {}),
});
console.log(`Sandbox vendor at ${vendor.url}; admin key in ${values['admin-key-file']}; Ctrl-C stops it.`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void vendor.stop());

function adminKeyIn(file: string): Value {
  try {
    writeFileSync(file, `adm_${randomBytes(20).toString('hex')}\n`, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
  return new Value(readFileSync(file, 'utf8').trim());
}
