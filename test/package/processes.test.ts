// Tests the built package, by its name, in separate processes.
import {join} from 'node:path';
import {needsBuild, runScript, temporaryFolder} from './scripts.js';

beforeAll(needsBuild);

const SAVE = `
const tf = require('@tensorflow/tfjs');
const {batchNorm, layerNorm} = require('tfjs-normalization');
const {fileSystem} = require('tfjs-normalization/node');

async function main() {
  const model = tf.sequential();
  model.add(tf.layers.dense({units: 5, inputShape: [4]}));
  model.add(batchNorm({movingAverage: 'cumulative'}));
  model.add(layerNorm({gammaConstraint: 'unitNorm'}));
  model.compile({optimizer: 'sgd', loss: 'meanSquaredError'});
  const x = tf.randomNormal([16, 4], 0, 1, 'float32', 1);
  await model.fit(x, tf.ones([16, 5]), {epochs: 2, verbose: 0});
  await model.save(fileSystem(process.argv[2]));
  const y = model.predict(tf.ones([3, 4]));
  console.log(JSON.stringify(Array.from(y.dataSync())));
}
main();
`;

const load = (imports: string): string => `
import tf from '@tensorflow/tfjs';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
${imports}

const folder = process.argv[2];
const json = JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8'));
const {weightsManifest, modelTopology} = json;
const parts = weightsManifest.flatMap(({paths}) => paths);
const bytes = Buffer.concat(parts.map((p) => readFileSync(join(folder, p))));
const model = await tf.loadLayersModel(
  tf.io.fromMemory({
    modelTopology,
    weightSpecs: weightsManifest.flatMap(({weights}) => weights),
    weightData: new Uint8Array(bytes).buffer,
  }),
);
const y = model.predict(tf.ones([3, 4]));
console.log(JSON.stringify(Array.from(y.dataSync())));
`;

const lastLine = (text: string): string => text.trim().split('\n').pop() ?? '';

describe('a model on disk', () => {
  const folder = join(temporaryFolder(), 'model');
  let predictions = '';

  beforeAll(async () => {
    predictions = lastLine((await runScript(SAVE, 'cjs', [folder])).stdout);
  });

  it('loads in a new process that imports the package, bit for bit', async () => {
    const script = load("import 'tfjs-normalization';");
    const {stdout} = await runScript(script, 'mjs', [folder]);
    expect(lastLine(stdout)).toBe(predictions);
    expect(JSON.parse(predictions)).toHaveLength(15);
  });

  it('also by the file:// scheme', async () => {
    const script = `
      import tf from '@tensorflow/tfjs';
      import 'tfjs-normalization/node';
      const url = 'file://' + process.argv[2] + '/model.json';
      const model = await tf.loadLayersModel(url);
      const y = model.predict(tf.ones([3, 4]));
      console.log(JSON.stringify(Array.from(y.dataSync())));
    `;
    const {stdout} = await runScript(script, 'mjs', [folder]);
    expect(lastLine(stdout)).toBe(predictions);
  });

  it('without the import has an unknown layer, according to tfjs', async () => {
    await expect(runScript(load(''), 'mjs', [folder])).rejects.toThrow(
      'Unknown layer: BatchNorm',
    );
  });
});

describe('one program', () => {
  it('has one instance, with any mix of import and require', async () => {
    const script = `
      import * as imported from 'tfjs-normalization';
      import {createRequire} from 'node:module';
      const required = createRequire(import.meta.url)('tfjs-normalization');
      const tf = (await import('@tensorflow/tfjs')).default;
      const layer = imported.batchNorm();
      const stock = tf.layers.batchNormalization();
      const {unpatch} = await import('tfjs-normalization/patch');
      console.log(JSON.stringify({
        instance: layer instanceof required.BatchNorm,
        layer: layer instanceof tf.layers.Layer,
        names: Object.keys(required).sort().join() ===
          Object.keys(imported).sort().join(),
        patch: unpatch === required.patchStockLayers(),
        registered: tf.serialization.SerializationMap.getMap()
          .classNameMap.BatchNorm[0] === imported.BatchNorm,
        stock: stock.call !== undefined,
      }));
    `;
    const {stdout, stderr} = await runScript(script, 'mjs');
    expect(
      new Set(Object.values(JSON.parse(lastLine(stdout)) as object)),
    ).toEqual(new Set([true]));
    expect(stderr).not.toContain('tfjs-normalization');
  });

  it('sees these names and no others', async () => {
    const script = `
      const all = require('tfjs-normalization');
      console.log(JSON.stringify({
        all: Object.keys(all).sort(),
        layers: Object.keys(all.layers).sort(),
        ops: Object.keys(all.ops).sort(),
        node: Object.keys(require('tfjs-normalization/node')),
        patch: Object.keys(require('tfjs-normalization/patch')),
      }));
    `;
    const {stdout} = await runScript(script, 'cjs');
    expect(JSON.parse(lastLine(stdout))).toEqual({
      all: [
        'BatchNorm',
        'GroupNorm',
        'InstanceNorm',
        'LayerNorm',
        'Normalization',
        'RMSNorm',
        'SpectralNorm',
        'UnitNorm',
        'batchNorm',
        'batchNormDense',
        'convertModel',
        'foldBatchNorm',
        'formatInspection',
        'freezeBatchNorm',
        'fromKeras',
        'groupNorm',
        'inspect',
        'instanceNorm',
        'layerNorm',
        'layers',
        'normalization',
        'ops',
        'patchStockLayers',
        'recalibrate',
        'register',
        'rmsNorm',
        'setStatistics',
        'spectralNorm',
        'toStock',
        'unfreezeBatchNorm',
        'unitNorm',
      ],
      layers: [
        'batchNorm',
        'batchNormDense',
        'groupNorm',
        'instanceNorm',
        'layerNorm',
        'normalization',
        'rmsNorm',
        'spectralNorm',
        'unitNorm',
      ],
      ops: ['batchNorm', 'groupNorm', 'instanceNorm', 'layerNorm', 'rmsNorm'],
      node: ['fileSystem'],
      patch: ['unpatch'],
    });
  });
});
