import type { Page } from '../../core/page.ts';
import type { Pager } from '../../core/ports.ts';

/** Keeps what people were told, in order, as they would have read it: a copy through JSON. */
export function memoryPager(): Pager & { readonly pages: readonly Page[] } {
  const pages: Page[] = [];
  return {
    pages,
    async page(page) {
      pages.push(JSON.parse(JSON.stringify(page)));
    },
  };
}
