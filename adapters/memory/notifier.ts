import type { Notice } from '../../core/notice.ts';
import type { Notifier } from '../../core/ports.ts';

/** Keeps what was published, in order, as subscribers would have read it: a copy through JSON. */
export function memoryNotifier(): Notifier & { readonly published: readonly Notice[] } {
  const published: Notice[] = [];
  return {
    published,
    async publish(notice) {
      const text = JSON.stringify(notice);
      if (text.includes('[value]')) throw new TypeError(`notice ${notice.id} carries a value`);
      published.push(JSON.parse(text));
    },
  };
}
