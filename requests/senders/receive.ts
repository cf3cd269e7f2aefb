import { Refused } from '../../core/errors.ts';
import type { Ports } from '../../core/ports.ts';
import { takeReports } from '../../core/reports/batch.ts';
import type { ReportCounts } from '../../core/reports/report.ts';
import { bodyBytes } from '../body.ts';
import { event } from './event.ts';
import { github } from './github.ts';
import { githubPartner } from './github-partner.ts';
import type { Message, SecretOf, Sender } from './sender.ts';

/** THE TABLE of those who may report by HTTP without an identity of ours: each signs what it sends. */
export const senders: readonly Sender[] = [github, githubPartner, event];

/**
 * Takes a message that came to POST /reports/<name>. Nothing of it is believed, and nothing of its body is read, before its signature over the
 * raw bytes held. Answers with counts only. Throws Refused E_NOT_FOUND, E_TOO_LARGE (256 KiB), E_CREDENTIALS, E_INPUT_INVALID;
 * InventoryUnavailable, so that the sender sends it again.
 */
export async function receiveReport(ports: Ports, secretOf: SecretOf, name: string, message: Message): Promise<ReportCounts> {
  const sender = senders.find((one) => one.name === name);
  if (!sender) throw new Refused('E_NOT_FOUND', 'nobody reports to this address');
  if (message.raw.byteLength > bodyBytes) throw new Refused('E_TOO_LARGE', `the body is larger than ${bodyBytes} bytes`);
  const who = await sender.authenticate(message, secretOf, ports.clock.now());
  if (who === undefined) {
    ports.log.warn('a report was refused', { sender: name, reason: 'signature' });
    ports.log.measure({ reportsRefused: 1 });
    // The same for a sender that was never set up, a wrong key and a late clock: whoever guesses learns nothing.
    throw new Refused('E_CREDENTIALS', `the signature does not hold; the time here is ${new Date(ports.clock.now()).toISOString()}`);
  }
  const reports = sender.read(ports, message, who);
  const { taken: _taken, ...counts } = await takeReports(ports, reports, { actor: `sender:${who}`, budget: true });
  ports.log.info('reports taken', { sender: who, ...counts });
  return counts;
}
