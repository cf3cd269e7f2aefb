import { randomBytes } from 'node:crypto';

/** 128 random bits from the operating system, as 32 lower-case hex digits. */
export function randomId(): string {
  return randomBytes(16).toString('hex');
}
