import * as tf from '@tensorflow/tfjs';
import {batchNorm} from 'tfjs-normalization';
import {reasonOf} from '../../../src/util/reason_of.js';
import {
  AS_LISTED,
  readTfjs,
  writeTfjs,
} from '../../../src/models/graph/tfjs_json.js';

describe('malformed JSON of a model', () => {
  const model = (): tf.LayersModel =>
    tf.sequential({layers: [batchNorm({inputShape: [2]})]});

  it('is copied unchanged', () => {
    const copied = (topology: object): unknown => {
      const live = {model: model(), order: AS_LISTED};
      return writeTfjs(readTfjs(topology as never, live));
    };
    const nothing = {class_name: 'undefined', config: {layers: []}};
    expect(copied({})).toEqual(nothing);
    expect(copied({model_config: 3})).toEqual(nothing);
    // Not a list of layers.
    const odd = {
      class_name: 'Sequential',
      config: {
        layers: [
          {class_name: 'A', config: {layers: [3, {config: 4}], layer: 5}},
        ],
      },
    };
    expect(copied(odd)).toEqual(odd);
    // Deeper than the model.
    const deep = {
      class_name: 'Sequential',
      config: {
        layers: [
          {
            class_name: 'A',
            config: {layers: [{class_name: 'B', config: {}}]},
          },
        ],
      },
    };
    expect(copied(deep)).toEqual(deep);
  });

  it('has calls of missing layers', () => {
    const json = {
      class_name: 'Functional',
      config: {
        layers: [
          {name: 'a', class_name: 'A', config: {}, inbound_nodes: []},
          {
            name: 'b',
            class_name: 'B',
            config: {},
            inbound_nodes: [[['none', 0, 0, {}]]],
          },
        ],
        input_layers: [['a', 0, 0]],
        output_layers: [['b', 0, 0]],
      },
    };
    expect(writeTfjs(readTfjs(json))).toEqual(json);
  });
});

it('reasonOf describes any thrown value', () => {
  expect([reasonOf(new Error('no')), reasonOf('no')]).toEqual(['no', 'no']);
});
