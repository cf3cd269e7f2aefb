import { type Pack, sections } from '../../core/evidence-pack/pack.ts';

type Section = keyof typeof sections;

/** The report of a pack as one HTML file: nothing is loaded from anywhere, and it prints. Every text of the log is shown as text. */
export function htmlOf(pack: Pack): string {
  const { from, to, unit, stage, madeAt, policy, log, says, missing, controls } = pack;
  const title = `Evidence of ${unit === null ? stage : `${unit} in ${stage}`}, ${from.slice(0, 10)} to ${to.slice(0, 10)}`;
  const numbers: readonly (readonly [string, string, string])[] = [
    ...(Object.keys(sections) as Section[]).map((name) => [name, sections[name], String(pack[name].length)] as const),
    ['late', 'Rotations that began late', String(pack.rotations.filter(({ timing }) => timing === 'late').length)],
    ['entries', 'Entries of the log that were read', String(log.entries)],
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${text(title)}</title>
<style>${style}</style>
</head>
<body>
<header>
<h1>${text(title)}</h1>
<p>Made at ${text(madeAt)} from the log, by the policy ${text(policy.version)} with the hash <code>${text(policy.hash)}</code>${policy.inEffectSince ? `, in effect since ${text(policy.inEffectSince)}` : ''}.</p>
<p class="says">${text(says)}</p>
</header>
<main>
<section id="numbers"><h2>In numbers</h2>
<dl>${numbers.map(([id, name, count]) => `<div><dt>${text(name)}</dt><dd id="count-${id}">${count}</dd></div>`).join('')}</dl></section>
<section id="missing"><h2>What is missing</h2>${missing.length ? `<ul>${missing.map((line) => `<li>${text(line)}</li>`).join('')}</ul>` : '<p>Nothing that this pack looks for.</p>'}</section>
<section id="log"><h2>The log</h2>
<p id="log-state">${log.problems.length ? 'It is not as it was written.' : 'It is as it was written, as far as it was sealed.'} ${log.entries} entries in ${log.chains} chains, ${log.seals} seals${log.last ? `, the last at ${text(log.last.at)}: <code>${text(log.last.hash)}</code>` : ''}; ${log.unsealed} entries are younger than their last seal.</p>
${log.problems.length ? tableOf('problems', log.problems) : ''}</section>
<section id="controls"><h2>Where to look for a control</h2>
<table><thead><tr><th>Framework</th><th>Control</th><th>Asks, in our words</th><th>See</th></tr></thead><tbody>
${controls.map((one) => `<tr><td>${text(one.framework)}</td><td>${text(one.id)}</td><td>${text(one.asks)}</td><td>${one.sections.map(link).join(', ')}</td></tr>`).join('\n')}
</tbody></table></section>
${(Object.keys(sections) as Section[]).map((name) => `<section id="${name}"><h2>${text(sections[name])}</h2>\n${tableOf(name, pack[name])}</section>`).join('\n')}
</main>
</body>
</html>
`;
}

const link = (name: string): string =>
  Object.hasOwn(sections, name) ? `<a href="#${name}">${text(sections[name as Section])}</a>` : text(name);

function tableOf(name: string, rows: readonly object[]): string {
  const [first] = rows;
  if (!first) return '<p>None.</p>';
  const heads = Object.keys(first);
  const body = rows.map((row) => `<tr>${heads.map((head) => `<td>${text(Reflect.get(row, head))}</td>`).join('')}</tr>`).join('\n');
  return `<table id="table-${name}"><thead><tr>${heads.map((head) => `<th>${text(words(head))}</th>`).join('')}</tr></thead><tbody>\n${body}\n</tbody></table>`;
}

/** `secondsToDead` as people read it. */
const words = (name: string): string => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function text(value: unknown): string {
  return String(value ?? '').replace(/[&<>"']/g, (character) => escapes[character] as string);
}

const style = `
:root{color-scheme:light dark;font:15px/1.5 system-ui,sans-serif}
body{margin:2rem auto;max-width:75rem;padding:0 1rem}
h1{font-size:1.6rem}h2{font-size:1.15rem;margin:2rem 0 .5rem;border-bottom:1px solid #8888}
.says{border-left:3px solid #888;padding-left:1rem}
dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(14rem,1fr));gap:.5rem 1.5rem}
dl div{display:flex;justify-content:space-between;border-bottom:1px dotted #8888}dd{margin:0;font-variant-numeric:tabular-nums;font-weight:600}
table{border-collapse:collapse;width:100%;font-size:.85rem}th,td{border:1px solid #8886;padding:.25rem .4rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}
th{background:#8882}
@media print{:root{color-scheme:light;font-size:10px}body{margin:0;max-width:none}h2{break-after:avoid}tr{break-inside:avoid}thead{display:table-header-group}a{color:inherit;text-decoration:none}}
`;
