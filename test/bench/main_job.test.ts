import {existsSync} from 'node:fs';
import {join, resolve} from 'node:path';
import {runScript} from '../package/scripts.js';

const ROOT = resolve(__dirname, '..', '..');

/** An epoch in a separate process, with the compiled program. */
const SCRIPT = `
  const tf = require('@tensorflow/tfjs');
  const {mainJob} = require('./build/bench/main_job.js');
  const {PACKAGE} = require('./build/examples/digits/norm_layers.js');
  const {STOCK} = require('./build/examples/digits/network.js');
  const [norm, variant] = process.argv.slice(2);
  const factories = {ours: PACKAGE, stock: STOCK, none: {}}[variant];
  (async () => {
    await tf.setBackend('cpu');
    const {run, held} = mainJob(norm, factories[norm]);
    const own = await run();
    const variables = Object.keys(tf.engine().registeredVariables).length;
    held.forEach((one) => one.dispose());
    tf.disposeVariables();
    const left = tf.memory().numTensors;
    console.log(JSON.stringify({own, variables, left}));
  })();`;

describe('mainJob', () => {
  // Four dense layers with a kernel, and with a bias unless a normalization
  // shifts.
  it.each([
    ['batch', 'none', 4 * 2],
    ['batch', 'ours', 4 + 1 + 3 * 4],
    ['batch', 'stock', 4 + 1 + 3 * 4],
    ['layer', 'ours', 4 + 1 + 3 * 2],
  ])(
    'trains the network with %s norm, %s',
    async (norm, variant, variables) => {
      if (!existsSync(join(ROOT, 'build', 'bench', 'main_job.js'))) {
        throw new Error('"node scripts/start.mjs --build-only" makes build/');
      }
      const {stdout} = await runScript(SCRIPT, 'cjs', [norm, variant]);
      const lines = stdout.trim().split('\n');
      expect(JSON.parse(lines[lines.length - 1] ?? '')).toEqual({
        own: expect.any(Number) as number,
        variables,
        left: 0,
      });
    },
  );
});
