import {existsSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {gpuFigures} from './gpu_table.js';
import {markdownTable} from './markdown.js';
import type {PageResults} from './page/measure.js';
import {
  aimsReached,
  familyRatios,
  foldingRatios,
  growth,
  layerRatios,
  programRatios,
} from './ratios.js';
import type {Results} from './results.js';
import {withFigures} from './spots.js';
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

/** The files that the figures come from. */
export interface Sources {
  /** Written by a full run of `npm run bench`. */
  readonly results: Results;
  /** Written by `npm run bench:page -- --headless --json bench/gpu.json`. */
  readonly gpu?: PageResults;
}

/** Reads the files in the root of the package. */
export function sourcesIn(root: string): Sources {
  const read = (name: string): unknown =>
    JSON.parse(readFileSync(join(root, 'bench', name), 'utf8'));
  const results = read('results.json') as Results;
  return existsSync(join(root, 'bench', 'gpu.json'))
    ? {results, gpu: read('gpu.json') as PageResults}
    : {results};
}

/** The documents whose figures are renewed. */
export const DOCUMENTS = [
  'README.md',
  'docs/performance.md',
  'docs/deploying.md',
] as const;

/**
 * The parts of documents that are tables, by the names in their markers. One whose figures
 * were not measured, and so is undefined, stays as it is.
 */
const PARTS: Readonly<
  Record<string, (sources: Sources) => string | undefined>
> = {
  layers: ({results}) => layerRatios(results),
  family: ({results}) => familyRatios(results),
  programs: ({results}) => programRatios(results),
  folding: ({results}) => foldingRatios(results),
  aims: ({results}) => aimsReached(results),
  gpu: ({gpu}) => gpu && gpuFigures(gpu),
};

const PART = /<!-- results: (.*?) -->\n.*?<!-- end -->/gs;

/**
 * Returns a document with its figures renewed: the tables between
 * `<!-- results: name -->` and `<!-- end -->`, and the spots in its prose (spots.ts).
 *
 * @throws Error naming a part or a spot for which there is no figure.
 */
export function renewed(page: string, sources: Sources): string {
  const withTables = page.replace(PART, (part, name: string) => {
    const {[name]: make} = PARTS;
    if (make === undefined) throw new Error(`no figures for: ${name}`);
    const text = make(sources);
    if (text === undefined) return part;
    return `<!-- results: ${name} -->\n\n${text}\n\n<!-- end -->`;
  });
  return withFigures(withTables, sources.results);
}
