import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Notice } from '../../core/notice.ts';
import type { Notifier } from '../../core/ports.ts';

export interface Subject {
  readonly notifier: Notifier;
  /** Ids of the notices that a subscriber has received, in any order, with repetitions. */
  received(): string[];
  close(): Promise<void>;
}

export function noticeWith(change: Partial<Notice> = {}): Notice {
  return {
    id: 'notice-1',
    type: 'key.issued',
    keyId: 'payments/stripe',
    audience: 'checkout',
    time: '2026-01-02T03:04:05.000Z',
    operationId: 'operation-1',
    severity: 'info',
    environment: 'prod',
    tier: 'high',
    data: { version: 2, action: 'refresh', destinations: [{ id: 'd1', kind: 'ssm-parameter', at: '/app/stripe' }], nonce: 'nonce-1' },
    ...change,
  };
}

/** What every notifier does. */
export function describeNotifier(name: string, make: () => Promise<Subject>): void {
  describe(`notifier: ${name}`, () => {
    let subject: Subject;

    beforeAll(async () => {
      subject = await make();
    });
    afterAll(async () => await subject?.close());

    it('delivers a notice at least once', async () => {
      await subject.notifier.publish(noticeWith({ id: 'once' }));
      expect(subject.received()).toContain('once');
    });

    it('delivers it again when it is published again', async () => {
      await subject.notifier.publish(noticeWith({ id: 'again' }));
      await subject.notifier.publish(noticeWith({ id: 'again' }));
      expect(subject.received()).toContain('again');
    });

    it('delivers notices to everyone, of every severity, with and without details', async () => {
      await subject.notifier.publish(noticeWith({ id: 'all', audience: '*', severity: 'critical', type: 'key.revoked' }));
      await subject.notifier.publish(noticeWith({ id: 'bare', type: 'key.attention', data: { action: 'look' } }));
      expect(subject.received()).toEqual(expect.arrayContaining(['all', 'bare']));
    });

    it('delivers text of any language unharmed', async () => {
      await subject.notifier.publish(noticeWith({ id: 'größe-値-"<&>\\', keyId: 'équipe/clé' }));
      expect(subject.received()).toContain('größe-値-"<&>\\');
    });
  });
}
