import * as tf from '@tensorflow/tfjs';
import {batchNorm} from 'tfjs-normalization';
import {reasonOf} from '../../../src/util/reason_of.js';
import {AS_LISTED, mapLayers} from '../../../src/models/graph/map_layers.js';
import {withOrderedCalls} from '../../../src/models/graph/order_calls.js';

describe('malformed JSON of a model', () => {
  const model = (): tf.LayersModel =>
    tf.sequential({layers: [batchNorm({inputShape: [2]})]});

  it('is copied unchanged', () => {
    const map = (topology: object): unknown =>
      mapLayers(
        topology as never,
        {model: model(), order: AS_LISTED},
        () => undefined,
      );
    expect(map({})).toEqual({config: {}});
    expect(map({model_config: 3})).toEqual({config: {}});
    expect(map({config: {layers: [3, {config: 4}]}})).toEqual({
      config: {layers: [3, {config: 4}]},
    });
    // Deeper than the model.
    const deep = {
      config: {layers: [{class_name: 'A', config: {layers: [{config: {}}]}}]},
    };
    expect(map(deep)).toEqual(deep);
  });

  it('has calls of missing layers', () => {
    const json = {
      layers: [
        {name: 'a', config: {}},
        {name: 'b', config: {}, inbound_nodes: [[['none', 0, 0, {}]]]},
      ],
      input_layers: [['a', 0, 0]],
      output_layers: [['b', 0, 0]],
    };
    expect(withOrderedCalls(json)).toEqual({
      ...json,
      layers: [{...json.layers[0], inbound_nodes: []}, json.layers[1]],
    });
  });
});

it('reasonOf describes any thrown value', () => {
  expect([reasonOf(new Error('no')), reasonOf('no')]).toEqual(['no', 'no']);
});
