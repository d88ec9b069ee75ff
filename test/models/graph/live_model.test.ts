import * as tf from '@tensorflow/tfjs';
import {
  batchNorm,
  convertModel,
  foldBatchNorm,
  freezeBatchNorm,
  inspect,
  recalibrate,
  setStatistics,
  unfreezeBatchNorm,
} from 'tfjs-normalization';
import {layersOf} from '../../../src/models/graph/live_model.js';

const pathsOf = (model: tf.LayersModel): string[] =>
  layersOf(model).map(({path}) => path);

describe('layersOf', () => {
  it('walks through nested models in their order', () => {
    const inner = tf.sequential({
      name: 'inner',
      layers: [
        tf.layers.dense({name: 'dense', units: 3, inputShape: [2]}),
        batchNorm({name: 'norm'}),
      ],
    });
    const middle = tf.sequential({name: 'middle', layers: [inner]});
    const input = tf.input({name: 'input', shape: [2]});
    const head = tf.layers.dense({name: 'head', units: 1});
    const output = head.apply(middle.apply(input)) as tf.SymbolicTensor;
    const model = tf.model({inputs: input, outputs: output});
    expect(pathsOf(model)).toEqual([
      'input',
      'middle/inner/dense',
      'middle/inner/norm',
      'head',
    ]);
    expect(layersOf(model)[2]?.layer).toBe(inner.layers[1]);
  });

  it('lists a layer that is used twice only once', () => {
    const shared = tf.sequential({
      name: 'shared',
      layers: [batchNorm({name: 'norm', inputShape: [2]})],
    });
    const input = tf.input({name: 'input', shape: [2]});
    const once = shared.apply(input) as tf.SymbolicTensor;
    const twice = shared.apply(once) as tf.SymbolicTensor;
    const model = tf.model({inputs: input, outputs: twice});
    expect(pathsOf(model)).toEqual(['input', 'shared/norm']);
  });

  it('looks into wrappers', () => {
    const layer = batchNorm({name: 'norm'});
    const times = tf.layers.timeDistributed({
      name: 'times',
      layer,
      inputShape: [3, 2],
    });
    const cell = tf.layers.simpleRNN({name: 'rnn', units: 2});
    const both = tf.layers.bidirectional({
      name: 'both',
      layer: cell,
      mergeMode: 'concat',
    });
    const model = tf.sequential({layers: [times, both]});
    expect(pathsOf(model)).toEqual([
      'times',
      'times/norm',
      'both',
      'both/forward_rnn',
      'both/forward_rnn/rnn',
      'both/backward_rnn',
      'both/backward_rnn/rnn',
    ]);
  });
});

type Tool = (model: tf.LayersModel) => unknown;

const TOOLS: Array<[string, Tool]> = [
  ['convertModel', (model) => convertModel(model, {to: 'stock'})],
  ['foldBatchNorm', (model) => foldBatchNorm(model)],
  ['freezeBatchNorm', (model) => freezeBatchNorm(model)],
  ['inspect', (model) => inspect(model)],
  ['recalibrate', (model) => recalibrate(model, tf.ones([2, 2]))],
  ['setStatistics', (model) => setStatistics(model, 'batch')],
  ['unfreezeBatchNorm', (model) => unfreezeBatchNorm(model)],
];

const messageOf = async (tool: Tool, model: unknown): Promise<string> => {
  try {
    await tool(model as tf.LayersModel);
  } catch (error) {
    return (error as Error).message;
  }
  return '';
};

describe('F29: a model of another copy of tf.js', () => {
  it.each(TOOLS)('is refused by %s, with the remedy', async (name, tool) => {
    const theirs = {name: 'model', layers: [], predict: () => undefined};
    expect(await messageOf(tool, theirs)).toMatch(
      new RegExp(
        `^${name}: the model comes from another copy.*npm ls.*Received: model="model"$`,
      ),
    );
  });
});

describe('anything but a model', () => {
  it.each(TOOLS)('is refused by %s', async (name, tool) => {
    for (const value of [undefined, null, 3, {}, [], 'model', tf.scalar(1)]) {
      expect(await messageOf(tool, value)).toMatch(
        new RegExp(`^${name}: the model must be a tf.LayersModel. Received: `),
      );
    }
  });
});
