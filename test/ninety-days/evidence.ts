import { filesOf } from '../../cli/evidence/files.ts';
import { packSource } from '../../cli/evidence/source.ts';
import type { Ports } from '../../core/ports.ts';
import { answer } from '../../requests/answer.ts';

export type Made = Awaited<ReturnType<typeof filesOf>>;

/** A pack as the command makes it, asked through the door with everything that it checks. */
export async function packFor(ports: Ports, order: { readonly from: string; readonly to: string; readonly unit?: string }): Promise<Made> {
  const session = {
    door: { name: 'sample', ask: (name: string, input: object) => answer(ports, name, input, { actor: 'auditor', via: 'operate' }) },
    redraw: () => undefined,
  };
  return filesOf(await packSource(session as never, { ...order, madeAt: '2026-04-01T00:00:00.000Z' }));
}
