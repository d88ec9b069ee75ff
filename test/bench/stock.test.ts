import {existsSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {casesOf} from '../../bench/cases.js';
import {measureLayer} from '../../bench/measure_layer.js';
import {isTiming} from '../../bench/results.js';
import {Stock} from '../../bench/stock.js';

/** Compiled by `npm test` before the tests run. */
const PROGRAM = join(__dirname, '../../build/bench/stock_program.js');

const [, training] = casesOf([[4, 6]]);
const channelsFirst = casesOf([[4, 3, 3, 2]])[3];
if (!training || !channelsFirst) throw new Error('no cases');

describe('F17: stock in a process of its own', () => {
  it('never loads this package', () => {
    const read = (name: string): string =>
      readFileSync(join(__dirname, `../../bench/${name}.ts`), 'utf8');
    for (const name of ['stock_program', 'stock_steps', 'cases']) {
      expect(read(name)).not.toMatch(/from 'tfjs-normalization|layer_steps/);
    }
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
    } finally {
      stock.close();
    }
  });
});
