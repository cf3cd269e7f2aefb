/**
 * Recognises strings that look like a key's value, so that a door can refuse them before they are stored, logged or echoed.
 * It may miss one (the vendor's own pattern is the provider's business) and it must not stop honest names: identifiers,
 * paths, addresses and sentences pass. A repetition that something has to follow is bounded, so that no text takes longer than its length.
 */
const vendorPatterns: readonly RegExp[] = [
  /\b(?:sk|rk|pk)_(?:live|test|prod)_[A-Za-z0-9]{10,}|\bwhsec_[A-Za-z0-9+/]{20,}/,
  /\bsk-(?=[\w-]{0,200}\d)[A-Za-z0-9_-]{20,}/,
  /\bgh[oprsu]_[A-Za-z0-9]{16,}|\bgithub_pat_\w{20,}|\bgl(?:pat|dt|rt|soat|cbt|ptt|ft|imt|agent)-[\w-]{20,}/,
  /\bxox[abeoprs]-[\w-]{10,}|\bxapp-[\w-]{10,}/,
  /\bAIza[\w-]{35}|\bya29\.[\w-]{20,}/,
  /\bSG\.[\w-]{16,100}\.[\w-]{16,}/,
  /\bnpm_[A-Za-z0-9]{30,}|\bpypi-AgE[\w-]{20,}|\brubygems_[0-9a-f]{40,}|\bhf_[A-Za-z0-9]{30,}|\bdo[opr]_v1_[0-9a-f]{40,}/,
  /\bshp(?:at|ss|ca|pa)_[0-9a-fA-F]{32}|\bhv[bs]\.[\w-]{20,}|\bdapi[0-9a-f]{32}|\bPMAK-[0-9a-f]{20,}|\bglsa_\w{30,}|\blin_api_\w{30,}/,
  /\bkey-[0-9a-f]{32}\b/,
  /-----BEGIN [A-Z ]{0,30}PRIVATE KEY[\s\S]*/,
  /\beyJ[\w-]{8,2000}\.eyJ[\w-]{8,2000}\.[\w-]*/,
  /\bA(?:KIA|SIA)[A-Z2-7]{16}:\S{40}/,
  /\bsecret_?access_?key\W{1,5}[A-Za-z0-9+/=]{40}/i,
  /\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s/:@]{1,100}:[^\s/@]{8,200}@/,
];

const uuid = /\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi;

/** True for a known vendor's shape of secret, wherever it stands in the text. */
export function hasVendorSecret(text: string): boolean {
  return vendorPatterns.some((pattern) => pattern.test(text));
}

/** The text with something else in the place of every part that a known vendor's secret is. Linear in its length. */
export function withoutVendorSecrets(text: string, instead: string): string {
  return vendorPatterns.reduce((left, pattern) => left.replace(new RegExp(pattern, `g${pattern.flags}`), instead), text);
}

/**
 * True when the text holds a known vendor's secret, or a run of at least `length` characters as irregular as random ones:
 * upper case, lower case and digits mixed; with only two of them, a third longer. UUIDs are identifiers and pass.
 */
export function looksSecret(text: string, length = 24): boolean {
  if (hasVendorSecret(text)) return true;
  return text
    .replace(uuid, ' ')
    .split(/[^A-Za-z0-9_+=/-]+/)
    .flatMap((word) => (/^[A-Za-z0-9+/]{40}$/.test(word) ? [word] : word.split(/[/=-]+/)))
    .some((word) => word.length >= length && isIrregular(word, length));
}

/** A field's name as an error may show it: short, and not at all when it looks like a key's value itself. */
export function shownName(name: string): string {
  return looksSecret(name) ? '[a name that looks like a key’s value]' : name.slice(0, 60);
}

/** Random text changes between upper case, lower case and digits about every second character; names do so at word ends only. */
function isIrregular(word: string, length: number): boolean {
  const kinds = [...word].map((character) => (/[0-9]/.test(character) ? 'd' : /[A-Z]/.test(character) ? 'u' : 'l'));
  const mixed = new Set(kinds).size;
  if (!kinds.includes('d') || mixed < 2 || (mixed === 2 && word.length < (length * 4) / 3)) return false;
  let changes = 0;
  for (let i = 1; i < kinds.length; i++) if (kinds[i] !== kinds[i - 1] && !(kinds[i - 1] === 'u' && kinds[i] === 'l')) changes++;
  return changes / word.length >= 0.25 && entropyBits(word) >= 3;
}

/** Shannon's entropy of the characters, in bits for each. */
function entropyBits(word: string): number {
  const counts = new Map<string, number>();
  for (const character of word) counts.set(character, (counts.get(character) ?? 0) + 1);
  return [...counts.values()].reduce((sum, count) => sum - (count / word.length) * Math.log2(count / word.length), 0);
}
