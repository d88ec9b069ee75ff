import {cpSync, existsSync} from 'node:fs';
import {join} from 'node:path';
import * as tf from '@tensorflow/tfjs';
import {fileSystem} from 'tfjs-normalization/node';
import {randomTensor} from '../support/tensors.js';
import {
  at,
  expectSamePredictions,
  folder,
  parsed,
  run,
  savedModel,
  snapshot,
} from './support.js';

let model: tf.LayersModel;

beforeAll(async () => {
  model = await savedModel();
});

describe('fold', () => {
  it('writes a model that predicts the same, and reports the result', async () => {
    const {code, stdout, stderr} = await run(['fold', 'model', 'folded']);
    expect({code, stderr}).toEqual({code: 0, stderr: ''});
    expect(stdout).toBe(
      'Folded 1 of 2 batch normalizations: folded\n' +
        'Not folded:\n' +
        '  stock: relu, before it, is ReLU, into which nothing can be folded\n',
    );
    const folded = await tf.loadLayersModel(fileSystem(at('folded')));
    const x = randomTensor([5, 2], 1);
    expectSamePredictions(model, folded, x);
    expect(folded.layers.map(({name}) => name)).toEqual([
      'dense',
      'relu',
      'stock',
    ]);
  });

  it('prints JSON', async () => {
    const {stdout} = await run([
      'fold',
      'model',
      join('f2', 'model.json'),
      '--json',
    ]);
    expect(parsed(stdout)).toMatchObject({
      folded: ['norm'],
      kept: [{layer: 'stock'}],
    });
    expect(existsSync(at('f2', 'model.json'))).toBe(true);
  });

  it.each([
    ['its input', 'model', 'this is the input'],
    [
      'its input, by another path',
      join('model', 'model.json'),
      'this is the input',
    ],
    ['another model', 'other', 'a model already exists here'],
  ])('does not overwrite %s without --force', async (_, output, reason) => {
    cpSync(at('model'), at('other'), {recursive: true});
    const before = snapshot(folder);
    expect(await run(['fold', 'model', output])).toEqual({
      code: 2,
      stdout: '',
      stderr: `tfjs-normalization: ${output}: ${reason}; --force overwrites it\n`,
    });
    expect(snapshot(folder)).toEqual(before);
  });

  it('overwrites its input with --force', async () => {
    cpSync(at('model'), at('again'), {recursive: true});
    expect((await run(['fold', 'again', 'again', '--force'])).code).toBe(0);
    const folded = await tf.loadLayersModel(fileSystem(at('again')));
    expect(folded.layers).toHaveLength(3);
  });
});
