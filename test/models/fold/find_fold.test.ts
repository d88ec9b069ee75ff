// The batch normalizations that foldBatchNorm keeps, and why.
import * as tf from '@tensorflow/tfjs';
import {BatchNorm, batchNorm, foldBatchNorm} from 'tfjs-normalization';
import {through} from '../../support/models.js';
import {randomTensor} from '../../support/tensors.js';
import {warnings} from '../../support/warnings.js';
import {CONV, fold, layerNames} from '../../support/folding.js';

const {layers} = tf;

describe('foldBatchNorm keeps, saying why,', () => {
  /** Returns a model whose only batch normalization is called norm. */
  const sequence = (...all: tf.layers.Layer[]): tf.LayersModel =>
    tf.sequential({layers: all});
  const dense = (args = {}): tf.layers.Layer =>
    layers.dense({name: 'dense', units: 3, inputShape: [3], ...args});
  const norm = (args = {}): tf.layers.Layer =>
    batchNorm({name: 'norm', ...args});
  const functional = (
    make: (x: tf.SymbolicTensor) => tf.SymbolicTensor | tf.SymbolicTensor[],
  ): tf.LayersModel => {
    const x = tf.input({shape: [3]});
    return tf.model({inputs: x, outputs: make(x)});
  };

  it.each<[string, () => tf.LayersModel, string]>([
    [
      'one after an activation',
      () => sequence(dense({activation: 'relu'}), norm()),
      'the activation relu of dense stands between',
    ],
    [
      'one after a layer without a kernel',
      () =>
        sequence(
          dense(),
          layers.activation({name: 'act', activation: 'relu'}),
          norm(),
        ),
      'act, before it, is Activation, into which nothing can be folded',
    ],
    [
      'one after a model',
      () => sequence(tf.sequential({name: 'inner', layers: [dense()]}), norm()),
      'inner, before it, is a model, into which nothing can be folded',
    ],
    [
      'the first layer',
      () => sequence(norm({inputShape: [3]})),
      'there is no layer before it',
    ],
    [
      'one beside another user of the output',
      () =>
        functional((x) => {
          const y = through(dense(), x);
          return layers
            .add()
            .apply([through(norm(), y), y]) as tf.SymbolicTensor;
        }),
      'the output of dense, before it, is used elsewhere too',
    ],
    [
      'one whose input is an output of the model',
      () =>
        functional((x) => {
          const y = through(dense(), x);
          return [through(norm(), y), y];
        }),
      'the output of dense, before it, is used elsewhere too',
    ],
    [
      'one after a shared layer',
      () =>
        functional((x) => {
          const shared = dense();
          return through(norm(), through(shared, through(shared, x)));
        }),
      'dense, before it, is used more than once',
    ],
    [
      'one that is shared',
      () =>
        functional((x) => {
          const shared = norm();
          return through(shared, through(shared, through(dense(), x)));
        }),
      'it is used more than once',
    ],
    [
      'one that uses the batch’s statistics',
      () => sequence(dense(), norm({statistics: 'batch'})),
      'it predicts with the statistics of the batch',
    ],
    [
      'one over another axis',
      () => sequence(dense({inputShape: [5, 3]}), norm({axis: 1})),
      'its axis is 1, and the outputs of dense are along axis 2',
    ],
    [
      'one over several axes',
      () => sequence(dense({inputShape: [5, 3]}), norm({axis: [1, 2]})),
      'its axis is 1,2, and the outputs of dense are along axis 2',
    ],
    [
      'one over the last axis, with channels first',
      () =>
        sequence(
          layers.conv2d({
            ...CONV,
            name: 'conv',
            dataFormat: 'channelsFirst',
            inputShape: [3, 5, 4],
          }),
          norm(),
        ),
      'its axis is 3, and the outputs of conv are along axis 1',
    ],
    [
      'one after a wrapper of a layer without a kernel',
      () =>
        sequence(
          layers.timeDistributed({
            name: 'steps',
            layer: layers.activation({activation: 'tanh'}),
            inputShape: [5, 3],
          }),
          norm(),
        ),
      'steps, before it, is TimeDistributed of Activation, into which nothing can be folded',
    ],
    [
      'one after an activation inside a wrapper',
      () =>
        sequence(
          layers.timeDistributed({
            name: 'steps',
            layer: layers.dense({units: 3, activation: 'relu'}),
            inputShape: [5, 3],
          }),
          norm(),
        ),
      'the activation relu of steps stands between',
    ],
    [
      'one in a wrapper',
      () =>
        sequence(
          layers.timeDistributed({
            name: 'norm',
            layer: batchNorm({name: 'inner'}),
            inputShape: [5, 3],
          }),
        ),
      'it is inside another layer, which is rebuilt as it is',
    ],
  ])('%s', (_, make, reason) => {
    const model = make();
    const x = randomTensor(
      [4, ...(model.inputs[0]?.shape.slice(1) ?? [])] as number[],
      1,
    );
    const {report, folded} = fold(model, x);
    expect(report.folded).toEqual([]);
    expect(report.kept).toHaveLength(1);
    expect(report.kept[0]).toMatchObject({reason});
    expect(report.kept[0]?.layer).toMatch(/^norm/);
    expect(layerNames(folded)).toEqual(layerNames(model));
  });

  const DenseClass = layers.dense({units: 1}).constructor as new (
    args: object,
  ) => tf.layers.Layer;

  /** Computes twice what its parent does. */
  class Doubling extends DenseClass {
    static readonly className: string = 'Dense';
    override call(inputs: tf.Tensor, kwargs: object): tf.Tensor {
      return tf.tidy(() => tf.mul(super.call(inputs, kwargs) as tf.Tensor, 2));
    }
  }

  class Shifting extends BatchNorm {
    static override readonly className: string = 'Shifting';
    override call(inputs: tf.Tensor, kwargs: object): tf.Tensor {
      return tf.tidy(() => tf.add(super.call(inputs, kwargs), 1));
    }
  }

  it("F5: one after a layer of the program's own that is called as tf.js's", () => {
    tf.serialization.registerClass(Doubling as never);
    try {
      const before = new Doubling({units: 4, inputShape: [3], name: 'dense'});
      const {report} = fold(sequence(before, norm()), randomTensor([4, 3], 1));
      expect(report).toMatchObject({folded: [], kept: [{layer: 'norm'}]});
      expect(report.kept[0]?.reason).toContain('nothing can be folded');
    } finally {
      tf.serialization.registerClass(DenseClass as never);
    }
  });

  it("F5: one of a class of the program's own", () => {
    tf.serialization.registerClass(Shifting);
    const model = sequence(dense(), new Shifting({name: 'norm'}));
    const {report} = fold(model, randomTensor([4, 3], 1));
    expect(report).toEqual({
      folded: [],
      kept: [{layer: 'norm', reason: "it is of a class of the program's own"}],
    });
  });

  it('in a warning without onReport', () => {
    const model = sequence(dense({activation: 'relu'}), norm());
    foldBatchNorm(model);
    expect(warnings()).toEqual([
      'foldBatchNorm: not folded: norm (the activation relu of dense stands ' +
        'between)',
    ]);
  });

  it('nothing because of a mask whose rank is too high for its input', () => {
    const model = tf.sequential();
    model.add(
      layers.embedding({
        inputDim: 9,
        outputDim: 4,
        maskZero: true,
        inputLength: 3,
      }),
    );
    model.add(layers.lstm({units: 3}));
    model.add(layers.dense({units: 3}));
    model.add(norm());
    const x = tf.tensor2d([[1, 2, 0]], undefined, 'int32');
    expect(fold(model, x).report.folded).toEqual(['norm']);
  });
});
