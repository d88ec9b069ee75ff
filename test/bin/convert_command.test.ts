import {existsSync, readdirSync} from 'node:fs';
import {join} from 'node:path';
import * as tf from '@tensorflow/tfjs';
import {batchNorm} from 'tfjs-normalization';
import {fromKerasFile} from 'tfjs-normalization/keras';
import {fileSystem} from 'tfjs-normalization/node';
import {
  artifactsIn,
  expectPredictions,
  type KerasCase,
  predictionsOf,
  readCases,
} from '../models/keras/keras_models.js';
import {mixedModel} from '../support/models.js';
import {randomTensor, valuesOf} from '../support/tensors.js';
import {
  ROOT,
  at,
  expectSamePredictions,
  parsed,
  run,
  savedModel,
} from './support.js';

let model: tf.LayersModel;

beforeAll(async () => {
  model = await savedModel();
});

describe('convert', () => {
  const namesIn = async (path: string): Promise<string[]> => {
    const loaded = await tf.loadLayersModel(fileSystem(at(path)));
    return loaded.layers.map((layer) => layer.getClassName());
  };

  it('converts tf.js’s layers to this package’s, and back', async () => {
    const there = ['convert', 'model', 'ours', '--to', 'normalization'];
    expect(await run(there)).toEqual({
      code: 0,
      stdout: 'Written for tfjs-normalization: ours\n',
      stderr: '',
    });
    const ours = 'BatchNorm';
    expect(await namesIn('ours')).toEqual(['Dense', ours, 'ReLU', ours]);
    const back = ['convert', 'ours', 'theirs', '--to', 'stock', '--json'];
    const {stdout} = await run(back);
    const told = {model: 'ours', output: 'theirs', to: 'stock'};
    expect(parsed(stdout)).toEqual(told);
    const stock = 'BatchNormalization';
    expect(await namesIn('theirs')).toEqual(['Dense', stock, 'ReLU', stock]);
    const theirs = await tf.loadLayersModel(fileSystem(at('theirs')));
    const x = randomTensor([5, 2], 1);
    expectSamePredictions(model, theirs, x);
  });

  it('writes and reads .keras files; so do the other commands', async () => {
    const there = ['convert', 'model', join('files', 'small.keras')];
    expect(await run(there)).toEqual({
      code: 0,
      stdout: `Written for Keras 3: ${join('files', 'small.keras')}\n`,
      stderr: '',
    });
    expect(readdirSync(at('files'))).toEqual(['small.keras']);
    const file = join('files', 'small.keras');
    const names = ['InputLayer', 'Dense', 'BatchNorm', 'ReLU', 'BatchNorm'];
    expect((await run(['convert', file, 'back'])).code).toBe(0);
    expect(await namesIn('back')).toEqual(names);
    const stock = ['convert', file, 'plain', '--to', 'stock', '--json'];
    expect(parsed((await run(stock)).stdout)).toEqual({
      ...{model: file, output: 'plain', to: 'stock'},
    });
    expect(await namesIn('plain')).toContain('BatchNormalization');
    expect((await run(['inspect', file])).stdout).toContain('BatchNorm');
    const folded = ['fold', file, join('files', 'folded.keras')];
    expect((await run(folded)).stdout).toMatch(/^Folded 1 of 2/);
    const x = randomTensor([5, 2], 1);
    for (const path of [file, join('files', 'folded.keras')]) {
      const loaded = await fromKerasFile(at(path));
      expectSamePredictions(model, loaded, x);
    }
  });

  it('reads Keras’s files; so do the other commands', async () => {
    const file = join(ROOT, 'test', 'fixtures', 'keras3_models.json');
    const [first] = readCases(file);
    await fileSystem(at('keras')).save?.(artifactsIn(first as KerasCase));
    const args = ['convert', 'keras', 'ours2', '--to', 'normalization'];
    expect((await run(args)).stderr).toBe('');
    expect(await namesIn('ours2')).toContain('BatchNorm');
    for (const path of ['keras', 'ours2']) {
      expect((await run(['inspect', path])).stdout).toContain('BatchNorm');
    }
    const {stdout} = await run(['fold', 'keras', 'folded2']);
    expect(stdout).toMatch(/^Folded \d of [1-9]/);
  });

  it('reads and writes Normalization, and says that tf.js lacks it', async () => {
    const file = join(ROOT, 'test', 'fixtures', 'keras3_models.json');
    const given = readCases(file).find(
      ({name}) => name === 'a feature normalization first',
    ) as KerasCase;
    await fileSystem(at('features')).save?.(artifactsIn(given));
    const there = ['convert', 'features', 'scaled', '--to', 'normalization'];
    expect(await run(there)).toMatchObject({code: 0, stderr: ''});
    expect(await namesIn('scaled')).toContain('Normalization');
    const scaled = await tf.loadLayersModel(fileSystem(at('scaled')));
    expectPredictions(given, predictionsOf(given, scaled));
    for (const path of ['features', 'scaled']) {
      const {stdout} = await run(['inspect', path]);
      expect(stdout).toMatch(/^layer +kind +axis +mean +variance +count$/m);
      expect(stdout).toMatch(/^normalization +Normalization +-1 /m);
    }
    const back = await run(['convert', 'scaled', 'no', '--to', 'stock']);
    expect(back.code).not.toBe(0);
    expect(back.stderr).toContain('stock tf.js has no such layer');
  });

  it('reads and writes UnitNorm and SpectralNorm, and says that tf.js lacks them', async () => {
    const mixed = mixedModel();
    await mixed.save(fileSystem(at('mixed')));
    const there = ['convert', 'mixed', 'mixed2', '--to', 'normalization'];
    expect(await run(there)).toMatchObject({code: 0, stderr: ''});
    const read = await tf.loadLayersModel(fileSystem(at('mixed2')));
    expect(read.layers.map((layer) => layer.getConfig())).toEqual(
      mixed.layers.map((layer) => layer.getConfig()),
    );
    expect(read.getWeights().map(valuesOf)).toEqual(
      mixed.getWeights().map(valuesOf),
    );
    const {stdout} = await run(['inspect', 'mixed2', '--json']);
    expect(parsed(stdout)).toMatchObject({
      layers: [
        {layer: 'spectral', kind: 'SpectralNormalization', problems: []},
        {layer: 'norm', kind: 'BatchNorm'},
        {layer: 'unit', kind: 'UnitNormalization', weights: {}, problems: []},
      ],
    });
    const folded = await run(['fold', 'mixed2', 'mixed3']);
    expect(folded.stdout).toContain(
      'spectral, before it, is SpectralNormalization, into which nothing can be folded',
    );
    const stock = ['convert', 'mixed2', 'no', '--to', 'stock', '--lossy'];
    expect(await run(stock)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(
        'SpectralNorm spectral: stock tf.js has no such layer',
      ) as string,
    });
  });

  it('F16: converts Keras’s files to tf.js’s own layers', async () => {
    for (const library of ['keras3', 'keras2']) {
      const file = join(ROOT, 'test', 'fixtures', `${library}_models.json`);
      const [first] = readCases(file) as [KerasCase];
      await fileSystem(at(library)).save?.(artifactsIn(first));
      const output = `${library}_stock`;
      const told = await run(['convert', library, output, '--to', 'stock']);
      expect(told).toEqual({
        code: 0,
        stdout: `Written for tf.js's own layers: ${output}\n`,
        stderr: '',
      });
      expect(await namesIn(output)).toContain('BatchNormalization');
      const stock = await tf.loadLayersModel(fileSystem(at(output)));
      expectPredictions(first, predictionsOf(first, stock));
    }
  });

  it('F9: reads every layer that tf.js writes and loads', async () => {
    const cell = tf.layers.lstmCell({units: 2});
    const saved = tf.sequential({
      layers: [
        tf.layers.upSampling2d({
          inputShape: [2, 2, 3],
          interpolation: 'bilinear',
        }),
        tf.layers.reshape({targetShape: [4, 12]}),
        tf.layers.rnn({cell: [cell, tf.layers.gruCell({units: 2})]}),
        tf.layers.batchNormalization(),
      ],
    });
    await saved.save(fileSystem(at('cells')));
    const x = randomTensor([2, 2, 2, 3], 1);
    for (const to of ['normalization', 'stock']) {
      const output = `cells_${to}`;
      const {stderr} = await run(['convert', 'cells', output, '--to', to]);
      expect(stderr).toBe('');
      const read = await tf.loadLayersModel(fileSystem(at(output)));
      expectSamePredictions(saved, read, x);
    }
  });

  it('refuses options that stock tf.js does not have, unless --lossy is given', async () => {
    const norm = batchNorm({statistics: 'batch', inputShape: [2]});
    await tf.sequential({layers: [norm]}).save(fileSystem(at('batch')));
    const args = ['convert', 'batch', 'lost', '--to', 'stock'];
    const {code, stderr} = await run(args);
    expect(stderr).toMatch(/^tfjs-normalization: .*statistics.*\n$/);
    expect(code).toBe(1);
    expect(existsSync(at('lost', 'model.json'))).toBe(false);
    expect((await run([...args, '--lossy'])).code).toBe(0);
  });
});
