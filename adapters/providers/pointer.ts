/**
 * What a JSON Pointer (RFC 6901) names in a document, or undefined when there is nothing. Only own properties are
 * seen, so `/constructor` and `/__proto__` find nothing.
 */
export function at(document: unknown, pointer: string): unknown {
  let here = document;
  for (const raw of pointer.split('/').slice(1)) {
    const token = raw.replaceAll('~1', '/').replaceAll('~0', '~');
    if (Array.isArray(here)) here = /^(0|[1-9]\d*)$/.test(token) ? here[Number(token)] : undefined;
    else if (typeof here === 'object' && here !== null && Object.hasOwn(here, token)) here = (here as Record<string, unknown>)[token];
    else return undefined;
  }
  return here;
}

/** The empty string (the whole document), or slash-separated tokens in which `~` is only written `~0` and `~1`. */
export const pointerPattern = /^(\/([^~/]|~[01])*)*$/;
