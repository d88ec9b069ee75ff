import * as tf from '@tensorflow/tfjs';
import {batchNorm} from 'tfjs-normalization';
import {layersOf} from '../../../src/models/graph/walk_layers.js';

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
