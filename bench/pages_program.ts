/** Runs `npm run bench:pages`, which writes the results of the benchmark into the guides. */
import {readFileSync} from 'node:fs';
import {writeWhole} from '../tools/output.js';
import {performancePage, tablesPage} from './pages.js';
import {drawPrograms} from './programs_chart.js';
import type {Results} from './results.js';

const PERFORMANCE = 'docs/performance.md';

const results = JSON.parse(
  readFileSync('bench/results.json', 'utf8'),
) as Results;
const page = readFileSync(PERFORMANCE, 'utf8');

const files = {
  'docs/benchmark-tables.md': tablesPage(results),
  'docs/programs.svg': drawPrograms(results.programs),
  [PERFORMANCE]: performancePage(page, results),
};
for (const [path, text] of Object.entries(files)) writeWhole(path, text);
console.log(`Written: ${Object.keys(files).join(', ')}`);
