import * as tf from '@tensorflow/tfjs';
import {
  batchNorm,
  foldBatchNorm,
  layerNorm,
  patchStockLayers,
} from 'tfjs-normalization';
import {reload} from '../../support/memory_model.js';
import {through} from '../../support/models.js';
import {difference, randomTensor} from '../../support/tensors.js';
import {CONV, fold, layerNames} from '../../support/folding.js';

const {layers} = tf;

/**
 * Each kind of layer, without a bias by default, and the shape of its input.
 */
const KINDS: Array<
  [string, (args: object) => tf.layers.Layer, number[], number]
> = [
  ['Dense', (args) => layers.dense({units: 4, ...args}), [3], -1],
  ['Dense on sequences', (a) => layers.dense({units: 4, ...a}), [5, 3], -1],
  ['Conv1D', (args) => layers.conv1d({...CONV, ...args}), [6, 3], -1],
  ['Conv2D', (args) => layers.conv2d({...CONV, ...args}), [5, 4, 3], -1],
  [
    'Conv2D, channels first',
    (args) => layers.conv2d({...CONV, dataFormat: 'channelsFirst', ...args}),
    [3, 5, 4],
    1,
  ],
  ['Conv3D', (args) => layers.conv3d({...CONV, ...args}), [4, 4, 4, 2], -1],
  [
    'Conv2DTranspose',
    (args) => layers.conv2dTranspose({...CONV, strides: 2, ...args}),
    [4, 3, 3],
    -1,
  ],
  [
    'F10: Conv3DTranspose',
    (args) => layers.conv3dTranspose({...CONV, strides: 2, ...args}),
    [3, 3, 3, 2],
    -1,
  ],
  [
    'F10: TimeDistributed(Dense)',
    ({useBias, ...args}: {useBias?: boolean}) =>
      layers.timeDistributed({
        layer: layers.dense({units: 3, useBias: useBias ?? true}),
        ...args,
      }),
    [4, 5],
    -1,
  ],
  [
    'F10: TimeDistributed(Conv2D)',
    ({useBias, ...args}: {useBias?: boolean}) =>
      layers.timeDistributed({
        layer: layers.conv2d({...CONV, useBias: useBias ?? true}),
        ...args,
      }),
    [2, 4, 4, 2],
    -1,
  ],
  [
    'F10: TimeDistributed(Conv2D), channels first',
    ({useBias, ...args}: {useBias?: boolean}) =>
      layers.timeDistributed({
        layer: layers.conv2d({
          ...CONV,
          dataFormat: 'channelsFirst',
          useBias: useBias ?? true,
        }),
        ...args,
      }),
    [2, 2, 4, 4],
    2,
  ],
  [
    'DepthwiseConv2D',
    (args) =>
      layers.depthwiseConv2d({kernelSize: 2, depthMultiplier: 2, ...args}),
    [5, 4, 3],
    -1,
  ],
  [
    'SeparableConv2D',
    (args) => layers.separableConv2d({...CONV, depthMultiplier: 2, ...args}),
    [5, 4, 3],
    -1,
  ],
];

describe('foldBatchNorm folds into', () => {
  describe.each(KINDS)('%s', (_, make, shape, axis) => {
    it.each([
      ['without a bias', {useBias: false}, {}],
      ['with a bias', {useBias: true}, {}],
      ['gamma alone', {useBias: true}, {center: false}],
      ['beta alone', {useBias: false}, {scale: false}],
      ['neither', {useBias: true}, {center: false, scale: false}],
    ])('%s', (__, args, norm) => {
      const model = tf.sequential();
      model.add(make({...args, name: 'before', inputShape: shape}));
      model.add(batchNorm({name: 'norm', axis, ...norm}));
      model.add(layers.activation({activation: 'tanh', name: 'after'}));
      const {report, folded} = fold(model, randomTensor([2, ...shape], 1));
      expect(report).toEqual({folded: ['norm'], kept: []});
      const own = folded.layers.map((layer) => layer.name);
      expect(own).toEqual(['before', 'after']);
    });
  });

  it('layers before tf.js’s own, patched or not', () => {
    for (const patched of [false, true]) {
      const unpatch = patched ? patchStockLayers() : (): void => undefined;
      try {
        const model = tf.sequential();
        model.add(layers.conv2d({...CONV, inputShape: [5, 4, 3]}));
        model.add(layers.batchNormalization({epsilon: 0.01}));
        model.add(layers.batchNormalization({name: 'second'}));
        const {report} = fold(model, randomTensor([2, 5, 4, 3], 1));
        expect(report.folded).toHaveLength(1);
        expect(report.kept[0]?.layer).toBe('second');
      } finally {
        unpatch();
      }
    }
  });

  it('layers of functional, residual and nested models', () => {
    const inner = tf.sequential({
      name: 'inner',
      layers: [
        layers.dense({name: 'a', units: 3, inputShape: [3]}),
        batchNorm({name: 'norm_a'}),
        layers.reLU({name: 'relu'}),
      ],
    });
    const [x, z] = [tf.input({shape: [3]}), tf.input({shape: [3]})];
    const b = through(layers.dense({name: 'b', units: 3}), through(inner, x));
    const normB = through(batchNorm({name: 'norm_b'}), b);
    const shared = through(inner, z);
    const sum = layers.add({name: 'sum'}).apply([normB, shared, x]);
    const c = layers.dense({name: 'c', units: 2}).apply(sum);
    const last = batchNorm({name: 'norm_c'}).apply(c) as tf.SymbolicTensor;
    const model = tf.model({
      name: 'outer',
      inputs: [x, z],
      outputs: [last, normB],
    });
    const inputs = [randomTensor([4, 3], 1), randomTensor([4, 3], 2)];
    const {report, folded} = fold(model, inputs);
    expect(report.kept).toEqual([]);
    expect([...report.folded].sort()).toEqual([
      'inner/norm_a',
      'norm_b',
      'norm_c',
    ]);
    expect(layerNames(folded).join()).not.toContain('norm');
    expect(folded.name).toBe('outer');
  });

  it('layers of a model that tf.js calls in another order', () => {
    const shared = layers.dense({name: 'shared', units: 3});
    const input = tf.input({shape: [3]});
    // tf.js, which makes it anew, can make the second call before the first.
    const late = through(layers.dense({name: 'before', units: 3}), input);
    const first = through(shared, late);
    let last = through(shared, input);
    for (const name of ['one', 'two']) {
      last = through(layers.dense({name, units: 3}), last);
    }
    const outputs = [through(batchNorm({name: 'norm'}), last), first];
    const model = tf.model({inputs: input, outputs});
    const {report} = fold(model, randomTensor([5, 3], 3));
    expect(report).toEqual({folded: ['norm'], kept: []});
  });

  it('a depthwise-separable layer in a wrapper, whose multiplier tf.js forgets', () => {
    const inner = layers.separableConv2d({...CONV, depthMultiplier: 2});
    const model = tf.sequential();
    const inputShape = [2, 4, 4, 3];
    model.add(layers.timeDistributed({layer: inner, inputShape}));
    model.add(batchNorm({name: 'norm'}));
    const {report} = fold(model, randomTensor([2, ...inputShape], 3));
    expect(report).toEqual({folded: ['norm'], kept: []});
  });

  it('keeps the rest of the model unchanged', () => {
    const model = tf.sequential({name: 'mixed'});
    model.add(layers.embedding({inputDim: 9, outputDim: 4, inputLength: 5}));
    model.add(
      layers.bidirectional({
        layer: layers.lstm({units: 3, returnSequences: true}),
        mergeMode: 'concat',
      }),
    );
    model.add(layers.timeDistributed({layer: layers.dense({units: 3})}));
    model.add(layerNorm());
    model.add(layers.gru({units: 3}));
    model.add(
      layers.dense({
        units: 3,
        kernelConstraint: tf.constraints.maxNorm({maxValue: 0.01}),
        kernelRegularizer: 'l1l2',
      }),
    );
    model.add(batchNorm());
    model.add(layers.dense({units: 2, kernelConstraint: 'unitNorm'}));
    const x = tf.tensor2d([[1, 2, 3, 4, 5]], undefined, 'int32');
    const {report, folded} = fold(model, x);
    expect(report.folded).toHaveLength(1);
    expect(folded.layers).toHaveLength(model.layers.length - 1);
  });

  // Training never applies tf.js's constraints, so trained weights may violate
  // them.
  it('weights that violate their layer’s constraint, bit for bit', () => {
    const dense = layers.dense({
      units: 2,
      useBias: false,
      kernelConstraint: 'nonNeg',
      inputShape: [2],
    });
    const model = tf.sequential({layers: [dense]});
    (dense.weights[0]?.read() as tf.Variable).assign(tf.fill([2, 2], -3));
    const folded = foldBatchNorm(model);
    expect(
      difference(folded.predict(tf.ones([1, 2])) as tf.Tensor, [-6, -6]),
    ).toBe(0);
  });

  it('and can be saved and loaded', async () => {
    const model = tf.sequential();
    model.add(layers.dense({units: 3, useBias: false, inputShape: [2]}));
    model.add(batchNorm());
    const x = randomTensor([4, 2], 1);
    const {folded} = fold(model, x);
    const loaded = await reload(folded);
    const [y, same] = [folded.predict(x), loaded.predict(x)] as tf.Tensor[];
    expect(difference(y as tf.Tensor, same as tf.Tensor)).toBe(0);
  });
});

describe('F1: foldBatchNorm of a model with masks', () => {
  it.each([
    ['BatchNorm', () => batchNorm({name: 'norm'})],
    ['BatchNormalization', () => layers.batchNormalization({name: 'norm'})],
  ])('folds %s, whose prediction does not depend on a mask', (_, make) => {
    const model = tf.sequential({
      layers: [
        layers.masking({inputShape: [5, 3]}),
        layers.dense({units: 3}),
        make(),
      ],
    });
    const x = tf.mul(
      randomTensor([4, 5, 3], 1),
      tf.greater(randomTensor([4, 5, 1], 2), 0),
    );
    const {report} = fold(model, x);
    expect(report).toEqual({folded: ['norm'], kept: []});
  });
});

describe('foldBatchNorm', () => {
  it('leaks nothing, and the new model outlives the old one', () => {
    const {numTensors} = tf.memory();
    const model = tf.sequential();
    model.add(layers.dense({units: 3, inputShape: [2]}));
    model.add(batchNorm());
    model.add(layers.dense({units: 1}));
    const folded = foldBatchNorm(model);
    model.dispose();
    // Two kernels and two biases.
    expect(tf.memory().numTensors).toBe(numTensors + 4);
    tf.dispose(folded.predict(tf.tidy(() => tf.keep(tf.ones([1, 2])))));
    folded.dispose();
    expect(tf.memory().numTensors).toBe(numTensors + 1);
  });
});
