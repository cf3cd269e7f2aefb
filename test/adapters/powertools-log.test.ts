import { afterEach, expect, it, vi } from 'vitest';
import { powertoolsLog } from '../../adapters/powertools-log.ts';

afterEach(() => vi.restoreAllMocks());

/** The lines that one call writes. */
function linesOf(work: (log: ReturnType<typeof powertoolsLog>) => void): string[] {
  const lines: string[] = [];
  const keep = (chunk: unknown) => {
    lines.push(String(chunk));
    return true;
  };
  vi.spyOn(process.stdout, 'write').mockImplementation(keep);
  vi.spyOn(process.stderr, 'write').mockImplementation(keep);
  work(powertoolsLog('test', 'rekey-test'));
  vi.restoreAllMocks();
  return lines;
}

it('writes one line of JSON with level, service, message and the fields apart', () => {
  const [line, ...others] = linesOf((log) => log.warn('rotated', { keyId: 'a/b', version: 3, ok: true, message: 'mine' }));
  expect(others).toEqual([]);
  expect(JSON.parse(line ?? '')).toMatchObject({
    level: 'WARN',
    service: 'rekey-test',
    message: 'rotated',
    detail: { keyId: 'a/b', version: 3, ok: true, message: 'mine' },
  });
});

it('shows control and direction characters instead of obeying them', () => {
  const [line] = linesOf((log) => log.info('a\nb\u001b[2J', { reason: 'x\u202ey\u2028z\u0085' }));
  const entry = JSON.parse(line ?? '');
  expect(entry.message).toBe('a\\u000ab\\u001b[2J');
  expect(entry.detail.reason).toBe('x\\u202ey\\u2028z\\u0085');
});

it('cuts what is too long for ids and reasons', () => {
  const [line] = linesOf((log) => log.error('m'.repeat(5000), { reason: 'r'.repeat(5000) }));
  const entry = JSON.parse(line ?? '');
  expect(entry.message).toHaveLength(1000);
  expect(entry.detail.reason).toHaveLength(300);
});

it('writes a measure as one line in the embedded metric format: by stage, by tier, and by provider', () => {
  const [line, ...others] = linesOf((log) =>
    log.measure({ rotationsSucceeded: 1, rotationSeconds: 7.5 }, { tier: 'high', provider: 'sand\nbox' }),
  );
  expect(others).toEqual([]);
  expect(line?.endsWith('}\n')).toBe(true);
  expect(JSON.parse(line ?? '')).toEqual({
    _aws: {
      Timestamp: expect.any(Number),
      CloudWatchMetrics: [
        {
          Namespace: 'Rekey',
          Dimensions: [['stage'], ['stage', 'tier'], ['stage', 'tier', 'provider']],
          Metrics: [
            { Name: 'rotationsSucceeded', Unit: 'Count' },
            { Name: 'rotationSeconds', Unit: 'Seconds' },
          ],
        },
      ],
    },
    stage: 'test',
    tier: 'high',
    provider: 'sand\\u000abox',
    rotationsSucceeded: 1,
    rotationSeconds: 7.5,
  });
});

it('measures what is about the whole stage by the stage alone', () => {
  const [line] = linesOf((log) => log.measure({ reconcileRuns: 1 }));
  const { _aws, ...rest } = JSON.parse(line ?? '');
  expect(_aws.CloudWatchMetrics[0].Dimensions).toEqual([['stage']]);
  expect(rest).toEqual({ stage: 'test', reconcileRuns: 1 });
});
