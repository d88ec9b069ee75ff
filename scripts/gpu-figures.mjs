// `node scripts/gpu-figures.mjs <results.json>`: writes the figures of a run of
// `npm run bench:page -- --headless --json <results.json>` into docs/performance.md.
import {readFileSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import prettier from 'prettier';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const DOCUMENT = join(root, 'docs', 'performance.md');
const [BEGIN, END] = ['begin', 'end'].map(
  (at) => `<!-- gpu figures: ${at} -->`,
);
const FORMAT = new Intl.NumberFormat('en', {maximumSignificantDigits: 3});

const [file] = process.argv.slice(2);
if (file === undefined) {
  console.error('usage: node scripts/gpu-figures.mjs <results.json>');
  process.exit(2);
}
const results = JSON.parse(readFileSync(file, 'utf8'));
const document = readFileSync(DOCUMENT, 'utf8');
const [from, to] = [document.indexOf(BEGIN), document.indexOf(END)];
if (from < 0 || to < from) throw new Error(`${DOCUMENT} lacks ${BEGIN}`);
const text = [
  document.slice(0, from + BEGIN.length),
  ...figuresOf(results),
  document.slice(to),
].join('\n\n');
const options = await prettier.resolveConfig(DOCUMENT);
writeFileSync(
  DOCUMENT,
  await prettier.format(text, {...options, filepath: DOCUMENT}),
);

function figuresOf({date, devices, layers, digits}) {
  const where = devices.map(
    ({backend, adapter, isSoftware}) =>
      `${backend}: ${adapter}${isSoftware ? ', in software: no GPU' : ''}`,
  );
  return [
    `Milliseconds, medians, ${date.slice(0, 10)}, on ${where.join('; ')}.`,
    tableOf(
      layers,
      ['layer and input', 'stock', 'composed', 'fused', 'add'],
      ({backend, norm, shape, mode}) =>
        `${backend}, ${norm} [${shape.join()}]${mode === 'inference' ? ', inference' : ''}`,
      [
        ['stock', 'fused'],
        ['composed', 'fused'],
        ['fused', 'add'],
      ],
    ),
    tableOf(
      digits,
      ['an epoch of digits', 'plain', 'fused', 'composed', 'stock'],
      ({backend}) => backend,
      ['fused', 'composed', 'stock'].map((name) => [name, 'plain']),
    ),
  ].filter((part) => part !== '');
}

function tableOf(rows, [first, ...columns], labelOf, ratios) {
  if (rows.length === 0) return '';
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const heads = [first, ...columns, ...ratios.map((pair) => pair.join(' / '))];
  return [
    line(heads),
    line(heads.map(() => '---')),
    ...rows.map((row) =>
      line([
        labelOf(row),
        ...columns.map((name) => spelled(row.cells[name])),
        ...ratios.map(([over, under]) =>
          ratio(row.cells[over], row.cells[under]),
        ),
      ]),
    ),
  ].join('\n');
}

function spelled({median, unavailable}) {
  return unavailable?.split(':')[0] ?? FORMAT.format(median);
}

function ratio(over, under) {
  const value = over.median / under.median;
  return Number.isFinite(value) ? FORMAT.format(value) : '–';
}
