/** Runs `npm run bench:pages`, which writes the results of the benchmark into the documents. */
import {readFileSync} from 'node:fs';
import {writeWhole} from '../tools/output.js';
import {drawChart} from './chart.js';
import {DOCUMENTS, renewed, sourcesIn, tablesPage} from './pages.js';
import {drawPrograms} from './programs_chart.js';

const sources = sourcesIn('.');
const {results} = sources;

const files = {
  'docs/benchmark-tables.md': tablesPage(results),
  'bench/chart.svg': drawChart(results.layers),
  'docs/programs.svg': drawPrograms(results.programs),
  ...Object.fromEntries(
    DOCUMENTS.map((path) => [
      path,
      renewed(readFileSync(path, 'utf8'), sources),
    ]),
  ),
};
for (const [path, text] of Object.entries(files)) writeWhole(path, text);
console.log(`Written: ${Object.keys(files).join(', ')}`);
