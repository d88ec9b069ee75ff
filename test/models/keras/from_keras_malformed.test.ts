// A file without a model gives an error with a reason, and leaks nothing.
import {
  expectRefused,
  input,
  type Json,
  layer,
  load,
  model,
  T,
} from './keras_json.js';

describe('a malformed file', () => {
  it.each([
    ['no topology', undefined, 'fromKeras: there is no model topology'],
    ['a list', [], 'fromKeras: there is no model topology'],
    ['nothing in it', {}, 'fromKeras: class_name is not a non-empty string'],
    [
      'a custom class',
      {class_name: 'MyModel', config: {}},
      'fromKeras: only sequential and functional models can be loaded',
    ],
    [
      'no layers',
      {class_name: 'Sequential', config: {name: 's', layers: []}},
      'Sequential s: it has no layers',
    ],
    ['no outputs', model([layer('ReLU')], 'x', {output_layers: []}), 'outputs'],
    ['a text', 'Functional', 'no model topology'],
    [
      'a config that is not an object',
      {model_config: 3},
      'model_config is not an object',
    ],
    [
      'a layer that is not an object',
      model([3 as unknown as Json]),
      'one of its layers',
    ],
    [
      'two layers of the same name',
      model([layer('ReLU'), layer('ReLU')]),
      'Functional m: two of its layers have the same name. Received: name="x"',
    ],
    [
      'an input that is not an InputLayer',
      model([layer('ReLU')], 'x', {input_layers: ['x', 0, 0]}),
      'Functional m: an input is not an InputLayer. Received: input="x"',
    ],
    [
      'an input without a shape',
      model([layer('ReLU')], 'x', {
        layers: [input('in', 'wide'), layer('ReLU')],
      }),
      'InputLayer in: it has no valid shape. Received: batch_shape="wide"',
    ],
  ])('%s', async (_, topology, message) => {
    await expectRefused(topology, message);
  });

  it.each([
    ['a missing layer', layer('ReLU', {}, T('out')), 'no layer out'],
    [
      'itself',
      layer('ReLU', {}, T('x')),
      'its input depends on its own output',
    ],
    ['a call too many', layer('ReLU', {}, T('in', 3)), 'called fewer times'],
    ['a tensor too many', layer('ReLU', {}, T('in', 0, 3)), 'fromKeras: tf.js'],
    [
      'a property of every object',
      layer('ReLU', {}, T('toString')),
      'no layer',
    ],
    ['nothing', layer('ReLU', {}, []), 'it is called without inputs'],
  ])('a layer on %s', async (_, wrong, message) => {
    await expectRefused(model([wrong]), message);
  });

  it('layers in a cycle', async () => {
    const circle = ['a', 'b', 'c'].map((name, i, all) =>
      layer('Add', {name}, [T('in'), T(all[(i + 1) % 3] ?? '')]),
    );
    await expectRefused(model(circle, 'a'), 'depends on its own output');
  });

  it('a chain of a thousand layers is not a cycle', async () => {
    const names = Array.from({length: 1000}, (_, i) => `r${i}`);
    const chain = names.map((name, i) =>
      layer('Dropout', {name, rate: 0}, T(names[i + 1] ?? 'in')),
    );
    const loaded = await load(model(chain, 'r0'));
    expect(loaded.layers).toHaveLength(1001);
  });

  it.each(['__proto__', 'constructor', 'prototype', 'toString', 'valueOf'])(
    'a key that every object inherits: %s',
    async (key) => {
      const config = JSON.parse(`{"name":"x","${key}":{"polluted":1}}`) as Json;
      await expectRefused(
        model([{...layer('ReLU'), config}]),
        `fromKeras: the JSON has a forbidden key. Received: key="${key}"`,
      );
      expect(({} as Json).polluted).toBeUndefined();
    },
  );

  it('very deeply nested JSON', async () => {
    const deep = JSON.parse('['.repeat(5000) + ']'.repeat(5000)) as unknown;
    await expectRefused({class_name: deep}, 'the JSON is nested too deeply');
  });
});
