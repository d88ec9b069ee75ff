import {execFileSync} from 'node:child_process';
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {casesOf} from '../../bench/cases.js';
import {measureFolding} from '../../bench/folding.js';
import {measureLayer} from '../../bench/measure_layer.js';
import {measureProgram} from '../../bench/programs.js';
import {isTiming} from '../../bench/results.js';
import {Stock} from '../../bench/stock.js';
import {FOLDED, PROGRAMS} from '../../bench/whole_programs.js';

/** Compiled by `npm run test:all` before the tests run. */
const PROGRAM = join(__dirname, '../../build/bench/stock_program.js');

const [, training] = casesOf([[4, 6]]);
const channelsFirst = casesOf([[4, 3, 3, 2]])[3];
if (!training || !channelsFirst) throw new Error('no cases');

describe('F17: stock in a process of its own', () => {
  it('never loads this package', () => {
    const loadedBy = (program: string): string =>
      execFileSync(
        process.execPath,
        [
          '-e',
          `require(${JSON.stringify(program)});
           console.log(JSON.stringify(Object.keys(require.cache)));
           process.exit();`,
        ],
        {encoding: 'utf8', stdio: 'pipe'},
      );
    const dist = join(__dirname, '../../dist/');
    expect(loadedBy(PROGRAM)).toContain('whole_programs.js');
    expect(loadedBy(PROGRAM)).not.toContain(dist);
    expect(loadedBy(PROGRAM.replace('stock_program', 'folding'))).toContain(
      dist,
    );
  });

  it('is prepared, run and measured, and reports its errors', async () => {
    expect(existsSync(PROGRAM)).toBe(true);
    const stock = await Stock.start('cpu', PROGRAM);
    try {
      await expect(stock.run('stock')).rejects.toThrow('prepared');
      await stock.prepare(training);
      for (const step of ['stock', 'add'] as const) {
        expect(await stock.run(step)).toBeGreaterThan(0);
      }
      await stock.prepare(channelsFirst);
      await expect(stock.run('stock')).rejects.toThrow('Size');
      const plan = {schedule: {budget: 50, runs: 2, warmUp: 1}, limit: 60_000};
      const {cells} = await measureLayer('cpu', training, plan, {stock});
      expect([cells.stock, cells.add].every(isTiming)).toBe(true);
      const [, , perceptron] = PROGRAMS;
      const [, network] = FOLDED;
      if (!perceptron || !network) throw new Error('no programs');
      const row = await measureProgram(
        'cpu',
        perceptron,
        {programSchedule: plan.schedule, epochs: 1},
        {stock},
      );
      expect(row.otherKernels).toBeUndefined();
      expect(Object.values(row.cells).every(isTiming)).toBe(true);
      const folded = await measureFolding('cpu', network, plan, stock);
      expect(Object.values(folded.cells).every(isTiming)).toBe(true);
      // The network has no counterpart without normalization.
      await expect(stock.run('none')).rejects.toThrow('prepared');
    } finally {
      stock.close();
    }
  });
});
