/**
 * The only thing in Rekey that can hold a key's value. It prints, serialises and inspects as `[value]`,
 * so that a value that strays into a log line, an error or a payload shows nothing.
 */
export class Value {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The secret string. Call this only where a value leaves for a provider, the secret store or a destination. */
  reveal(): string {
    return this.#text;
  }

  /** True when both hold the same string. Takes the same time whatever the first difference is. */
  equals(other: Value): boolean {
    const [a, b] = [Buffer.from(this.#text), Buffer.from(other.#text)];
    let difference = a.length ^ b.length;
    for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i % Math.max(1, b.length)] ?? 0);
    return difference === 0;
  }

  toString(): string {
    return '[value]';
  }

  toJSON(): string {
    return '[value]';
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[value]';
  }
}
