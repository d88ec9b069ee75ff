import {markdownTable} from './markdown.js';
import {
  aimsReached,
  foldingRatios,
  growth,
  layerRatios,
  programRatios,
} from './ratios.js';
import type {Results} from './results.js';
import {notesOf, sheetsOf} from './table.js';

/** Returns docs/benchmark-tables.md: every figure of the benchmark. */
export function tablesPage(results: Results): string {
  const notes = notesOf(results);
  const sections = [
    INTRODUCTION,
    describe(results),
    ...sheetsOf(results).map(
      (sheet) => `## ${sheet.title}\n\n${markdownTable(sheet)}`,
    ),
    `## From 1.6 million values to 6.4 million\n\nForward and backward, nanoseconds for ` +
      `each value:\n\n${growth(results)}`,
    ...(notes.length > 0
      ? [`## Missing figures\n\n${notes.map((note) => `- ${note}`).join('\n')}`]
      : []),
  ];
  return `${sections.join('\n\n')}\n`;
}

const INTRODUCTION = `# Benchmark tables

\`npm run bench:pages\` makes this page from \`bench/results.json\`; change nothing here by hand.
[performance.md](performance.md) has the ratios, how they were measured and what has not been
reached.

Figures are medians, with half of the distance between the quartiles. Read them as ratios
within a row.`;

function describe({date, machine, versions}: Results): string {
  const {cpu, cores, memoryGB, platform} = machine;
  const {node, tfjs, libtensorflow, torch} = versions;
  const with_ = [
    `Node ${node}`,
    `TensorFlow.js ${tfjs}`,
    ...(libtensorflow === null ? [] : [`TensorFlow ${libtensorflow}`]),
    ...(torch === null ? [] : [`PyTorch ${torch}`]),
  ];
  const day = date.slice(0, 'yyyy-mm-dd'.length);
  return `Measured on ${day}, on ${cores} cores of an ${cpu}, ${memoryGB} GB, ${platform}.\n${with_.join(', ')}.`;
}

/** The parts of docs/performance.md that come from the results, by their markers. */
const PARTS: Readonly<Record<string, (results: Results) => string>> = {
  layers: layerRatios,
  programs: programRatios,
  folding: foldingRatios,
  aims: aimsReached,
};

/**
 * Returns docs/performance.md with its parts made anew. A part lies between
 * `<!-- results: name -->` and `<!-- end -->`.
 *
 * @throws Error naming a part that the page lacks.
 */
export function performancePage(page: string, results: Results): string {
  return Object.entries(PARTS).reduce((text, [name, make]) => {
    const begin = `<!-- results: ${name} -->\n`;
    const start = text.indexOf(begin) + begin.length;
    const end = text.indexOf('<!-- end -->', start);
    if (start < begin.length || end < 0) {
      throw new Error(`docs/performance.md lacks its part "${name}"`);
    }
    return `${text.slice(0, start)}\n${make(results)}\n\n${text.slice(end)}`;
  }, page);
}
