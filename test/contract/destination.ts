import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DestinationSpec } from '../../core/key.ts';
import type { Destination } from '../../core/ports.ts';
import { Value } from '../../core/value.ts';

export interface Subject {
  readonly destination: Destination;
  /** A place that holds nothing yet and that the destination may write. */
  place(n: number): Promise<string> | string;
  close(): Promise<void>;
}

/** What every destination does. Each test uses a place of its own. */
export function describeDestination(name: string, make: () => Promise<Subject>): void {
  describe(`destination: ${name}`, () => {
    let subject: Subject;
    let destination: Destination;
    let places = 0;

    beforeAll(async () => {
      subject = await make();
      destination = subject.destination;
    });
    afterAll(async () => await subject?.close());

    const fresh = async (): Promise<DestinationSpec> => ({
      id: `d${++places}`,
      kind: destination.kind,
      at: await subject.place(places),
      environment: 'test',
    });
    const freshValue = () => new Value(`value-${randomUUID()}-"é\\$`);
    const holds = async (spec: DestinationSpec, value: Value) => (await destination.read(spec))?.equals(value) ?? false;

    it('holds nothing before the first write', async () => {
      expect(await destination.read(await fresh())).toBeUndefined();
    });

    it('reads back exactly what was written', async () => {
      const [spec, value] = [await fresh(), freshValue()];
      await destination.write(spec, value, randomUUID());
      expect(await holds(spec, value)).toBe(true);
    });

    it('holds the newest value after a second write', async () => {
      const [spec, value] = [await fresh(), freshValue()];
      await destination.write(spec, freshValue(), randomUUID());
      await destination.write(spec, value, randomUUID());
      expect(await holds(spec, value)).toBe(true);
    });

    it('takes the same write twice', async () => {
      const [spec, value, marker] = [await fresh(), freshValue(), randomUUID()];
      await destination.write(spec, value, marker);
      await destination.write(spec, value, marker);
      expect(await holds(spec, value)).toBe(true);
    });

    it('goes back to an earlier value that is written under its own marker again', async () => {
      const [spec, value, marker] = [await fresh(), freshValue(), randomUUID()];
      await destination.write(spec, value, marker);
      await destination.write(spec, freshValue(), randomUUID());
      await destination.write(spec, value, marker);
      expect(await holds(spec, value)).toBe(true);
    });

    it('keeps places apart', async () => {
      const [one, two, value] = [await fresh(), await fresh(), freshValue()];
      await destination.write(one, value, randomUUID());
      await destination.write(two, freshValue(), randomUUID());
      expect(await holds(one, value)).toBe(true);
    });
  });
}
