/**
 * How fast unknown text is compared with the shapes of every shipped vendor, and a log line cleaned of them: texts of honest words, and texts
 * made to be as slow as possible, in two lengths. A rate that does not fall with the length is what "linear" means.
 *
 *   npx node test/benchmarks/recognise.ts
 */
import { bundledSpecs, loadSpecs } from '../../adapters/providers/load-spec.ts';
import { looksLike, redactingLog } from '../../core/leak-shapes.ts';

const specs = loadSpecs([bundledSpecs], { allowLoopback: true });
const providers = specs.map(({ metadata }) => ({
  name: metadata.id,
  traits: { secretPattern: metadata.secretPattern ?? '^never$', commonShape: metadata.commonShape ?? false },
  about: { title: '', docs: [], facts: [], cannot: [], aliases: {}, params: {}, admin: {} },
}));
const none = () => undefined;
const log = redactingLog(
  { info: none, warn: none, error: none, measure: none },
  specs.map(({ metadata }) => metadata),
);

const texts: Readonly<Record<string, string>> = {
  'honest words': 'the deploy of payments/stripe took 12 s and moved 3 consumers ',
  'one word without an end': 'glpat-',
  'beginnings of values': 'glpat-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.aaaaaaaa ',
  'beginnings of tokens': 'eyJ-sk-SG.-xoxb-cfat_-',
  'marks of sentences': '!?!?!?.',
  'parts of addresses': 'a:b/c@d:e/f@',
};

for (const [what, part] of Object.entries(texts))
  for (const kilobytes of [64, 1024]) {
    const text = part.repeat(Math.ceil((kilobytes * 1024) / part.length));
    const rate = (work: () => void) => {
      const began = performance.now();
      work();
      return (text.length / 1e6 / ((performance.now() - began) / 1000)).toFixed(1).padStart(7);
    };
    const looked = rate(() => looksLike(text, providers));
    const cleaned = rate(() => log.info(text));
    console.log(`${what.padEnd(26)} ${String(kilobytes).padStart(5)} KiB   looked at ${looked} MB/s   cleaned ${cleaned} MB/s`);
  }
