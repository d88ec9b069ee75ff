// The layer inside a SpectralNorm.
import * as tf from '@tensorflow/tfjs';
import {spectralNorm} from 'tfjs-normalization';
import {expectCloseNow} from '../support/close.js';
import {reload} from '../support/memory_model.js';
import {
  callOf,
  builtDense,
  KERNEL,
  spectralDense,
  U,
} from '../support/spectral_dense.js';
import {valuesOf} from '../support/tensors.js';

describe('the layer inside', () => {
  it('has its regularizer, of the kernel as it is', () => {
    const layer = spectralDense(
      {},
      {kernelRegularizer: tf.regularizers.l2({l2: 0.5})},
    );
    layer.build([null, 3]);
    layer.setWeights([tf.tensor2d(KERNEL, [3, 2]), tf.tensor2d([U])]);
    const [loss] = layer.calculateLosses();
    const squares = KERNEL.reduce((sum, value) => sum + value * value, 0);
    expectCloseNow(loss as tf.Tensor, [0.5 * squares], {
      what: 'loss',
      roundings: 4,
    });
  });

  it('reads its own kernel again after each call, failed ones too', () => {
    const layer = builtDense();
    expect(() => layer.apply(tf.ones([1, 4]))).toThrow();
    expect(() => layer.layer.call(tf.ones([1, 4]), {})).toThrow();
    tf.dispose(callOf(layer, tf.ones([1, 3])));
    expect(valuesOf(layer.getWeights()[0] as tf.Tensor)).toEqual(
      KERNEL.map(Math.fround),
    );
  });

  it.each<[string, () => tf.layers.Layer, number[], number[]]>([
    [
      'embedding',
      () => tf.layers.embedding({inputDim: 5, outputDim: 3}),
      [4],
      [4, 3],
    ],
    [
      'conv1d',
      () => tf.layers.conv1d({filters: 2, kernelSize: 2}),
      [5, 3],
      [4, 2],
    ],
  ])('decides the shape of the output: %s', (_, make, input, output) => {
    const layer = spectralNorm({layer: make()});
    expect(layer.computeOutputShape([null, ...input])).toEqual([
      null,
      ...output,
    ]);
  });

  it('decides about masks', () => {
    const conv = tf.layers.conv1d({filters: 2, kernelSize: 2});
    expect(spectralNorm({layer: conv}).supportsMasking).toBe(false);
    const mask = tf.ones([2, 3], 'bool');
    expect(spectralDense().computeMask(tf.ones([2, 3, 4]), mask)).toBe(mask);
  });

  it('may be of a class of the program', async () => {
    class Doubling extends tf.layers.Layer {
      static readonly className = 'SpectralNormTestDoubling';
      kernel: ReturnType<tf.layers.Layer['addWeight']> | undefined;

      override build(): void {
        const initializer = tf.initializers.constant({value: 2});
        this.kernel = this.addWeight('kernel', [1, 1], 'float32', initializer);
        this.built = true;
      }

      override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
        const [x] = [inputs].flat();
        return tf.mul(x as tf.Tensor, this.kernel?.read() as tf.Tensor);
      }
    }
    tf.serialization.registerClass(Doubling);
    const model = tf.sequential({
      layers: [spectralNorm({layer: new Doubling({}), inputShape: [2]})],
    });
    const loaded = await reload(model);
    // 2 is its only singular value.
    const y = loaded.predict(tf.tensor2d([[3, -4]])) as tf.Tensor;
    expectCloseNow(y, [3, -4], {what: 'y', roundings: 2});
    model.dispose();
    loaded.dispose();
  });
});
