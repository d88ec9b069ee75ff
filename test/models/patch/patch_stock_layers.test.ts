import * as tf from '@tensorflow/tfjs';
import {patchStockLayers} from 'tfjs-normalization';
import {expectCloseNow} from '../../support/close.js';
import {artifactsOf, reload} from '../../support/memory_model.js';
import {trainsStockLayers} from '../../support/stock_training.js';
import {
  difference,
  kernelsOf,
  randomTensor,
  valuesOf,
  weightsOf,
} from '../../support/tensors.js';
import {warnings} from '../../support/warnings.js';

const {batchNormalization, layerNormalization} = tf.layers;

const isOurs = async (
  layer: tf.layers.Layer,
  x: tf.Tensor,
): Promise<boolean> => {
  const kernels = await kernelsOf(() => {
    layer.apply(x, {training: true});
  });
  return kernels.includes('TfjsNormalization/Normalize');
};

let unpatch: (() => void) | undefined;

afterEach(() => {
  unpatch?.();
  unpatch = undefined;
});

const patch = (): (() => void) => (unpatch = patchStockLayers());

describe('patchStockLayers', () => {
  const x = (): tf.Tensor => randomTensor([6, 4], 1, 2);

  it('reaches layers made before and after, live and loaded', async () => {
    const before = batchNormalization();
    const live = layerNormalization();
    live.apply(x());
    expect(await isOurs(live, x())).toBe(false);
    patch();
    const model = tf.sequential({
      layers: [layerNormalization({inputShape: [4]})],
    });
    const loaded = (await reload(model)).layers[0] as tf.layers.Layer;
    for (const layer of [before, live, loaded, batchNormalization()]) {
      expect(await isOurs(layer, x())).toBe(true);
    }
  });

  it('restores stock; a second call has no effect', async () => {
    const layer = layerNormalization();
    const first = patch();
    expect(patchStockLayers()).toBe(first);
    expect(await isOurs(layer, x())).toBe(true);
    first();
    first();
    expect(await isOurs(layer, x())).toBe(false);
    patch();
    first();
    expect(await isOurs(layer, x())).toBe(false);
  });

  it('undone, leaves a layer that stock can train further', () => {
    patch();
    const layer = batchNormalization({momentum: 0.5});
    layer.apply(x(), {training: true});
    const [, , mean] = layer.getWeights().map(valuesOf);
    unpatch?.();
    layer.apply(x(), {training: true});
    expect(difference(weightsOf(layer).moving_mean ?? [], mean ?? [])).not.toBe(
      0,
    );
  });

  it('keeps stock’s config, weights and class names', async () => {
    const make = (): tf.Sequential =>
      tf.sequential({
        layers: [
          batchNormalization({name: 'bn', axis: -1, inputShape: [3, 4]}),
          layerNormalization({name: 'ln', axis: [1, 2]}),
        ],
      });
    const stock = await artifactsOf(make());
    patch();
    const patched = await artifactsOf(make());
    expect(patched.weightSpecs).toEqual(stock.weightSpecs);
    const layersOf = ({modelTopology}: tf.io.ModelArtifacts): unknown =>
      (modelTopology as {config: {layers: unknown}}).config.layers;
    expect(layersOf(patched)).toEqual(layersOf(stock));
  });

  it.each([
    ['batchNormalization', (): tf.layers.Layer => batchNormalization()],
    ['layerNormalization', (): tf.layers.Layer => layerNormalization()],
  ])('computes the same as stock where stock is right: %s', async (_, make) => {
    const losses = async (): Promise<number[]> => {
      trainsStockLayers();
      const model = tf.sequential();
      const kernelInitializer = tf.initializers.randomNormal({seed: 7});
      model.add(
        tf.layers.dense({units: 5, kernelInitializer, inputShape: [4]}),
      );
      model.add(make());
      model.add(tf.layers.dense({units: 1, kernelInitializer}));
      model.compile({optimizer: tf.train.sgd(0.01), loss: 'meanSquaredError'});
      const {history} = await model.fit(x(), tf.sum(x(), 1, true), {
        epochs: 12,
        shuffle: false,
        verbose: 0,
      });
      return history.loss as number[];
    };
    const stock = await losses();
    patch();
    const patched = await losses();
    // A dozen steps, each of a dozen roundings of what float32 rounds differently.
    expectCloseNow(patched, stock, {
      what: 'losses',
      roundings: 160,
      scale: stock[0] ?? NaN,
    });
  });

  it('is right where stock is wrong', () => {
    patch();
    const train = {training: true};
    const images = randomTensor([2, 3, 4, 4], 5);
    const first = batchNormalization({axis: 1}).apply(images, train);
    const last = batchNormalization().apply(
      tf.transpose(images, [0, 2, 3, 1]),
      train,
    );
    // A mean, a variance, a root and a product, in another order.
    expectCloseNow(
      tf.transpose(first as tf.Tensor, [0, 2, 3, 1]),
      last as tf.Tensor,
      {what: 'y', roundings: 8, scale: 2},
    );

    for (const make of [batchNormalization, layerNormalization]) {
      const layer = make({scale: false, inputShape: [4]});
      const dx = tf.grad((a: tf.Tensor) => layer.apply(a, train) as tf.Tensor)(
        x(),
      );
      expect(valuesOf(dx).every(Number.isFinite)).toBe(true);
      const deep = make({}).apply(tf.ones([2, 2, 2, 2, 2, 3]), train);
      expect((deep as tf.Tensor).rank).toBe(6);
    }

    const frozen = batchNormalization({trainable: false});
    frozen.apply(x(), train);
    expect(weightsOf(frozen).moving_mean).toEqual([0, 0, 0, 0]);

    const listed = batchNormalization({axis: [-1] as unknown as number});
    expect((listed.apply(x(), train) as tf.Tensor).shape).toEqual([6, 4]);

    const masked = batchNormalization({momentum: 0});
    masked.apply(tf.tensor3d([[[1], [2], [NaN]]]), {
      ...train,
      mask: tf.tensor2d([[1, 1, 0]], undefined, 'bool'),
    });
    expect(weightsOf(masked).moving_mean).toEqual([1.5]);
  });

  it('applies constraints, and no longer when undone', () => {
    patch();
    const layer = batchNormalization({gammaConstraint: 'nonNeg'});
    const input = x();
    layer.apply(input, {training: true});
    const gamma = layer.trainableWeights[0];
    const variable = gamma?.read() as tf.Variable;
    variable.assign(tf.fill([4], -2));
    expect(weightsOf(layer).gamma?.map(Math.abs)).toEqual([0, 0, 0, 0]);
    unpatch?.();
    variable.assign(tf.fill([4], -2));
    expect(weightsOf(layer).gamma).toEqual([-2, -2, -2, -2]);
  });

  it('reads gamma of unsorted axes as stock and Keras do', () => {
    const axis = [2, 1];
    const layer = layerNormalization({axis});
    const input = randomTensor([2, 3, 4], 3);
    layer.build([null, 3, 4]);
    const gamma = randomTensor([4, 3], 4);
    layer.setWeights([gamma, tf.zeros([4, 3])]);
    const stock = layer.apply(input) as tf.Tensor;
    patch();
    // As above, with gamma.
    expectCloseNow(layer.apply(input) as tf.Tensor, stock, {
      what: 'y',
      roundings: 8,
      scale: 4,
    });
    const later = [-1, 1];
    layerNormalization({axis: later}).apply(input);
    expect(later).toEqual([-1, 1]);
  });

  it('warns only of layers trained while patched', () => {
    const layer = batchNormalization({name: 'bn'});
    layer.apply(x(), {training: true});
    patch();
    layer.apply(x(), {training: true});
    layer.apply(x());
    expect(warnings()).toEqual([]);
    const fresh = batchNormalization({name: 'fresh'});
    fresh.apply(x(), {training: true});
    fresh.apply(x());
    expect(warnings()).toHaveLength(1);
    expect(warnings()[0]).toContain(
      'BatchNormalization fresh: prediction uses',
    );
  });

  it('names the axis whose length is missing', () => {
    patch();
    expect(() => {
      batchNormalization({name: 'bn', axis: 1}).build([null, null, 3]);
    }).toThrow('BatchNormalization bn: Axis 1 of input tensor should have');
  });

  it('leaks nothing', () => {
    patch();
    const input = x();
    const {numTensors} = tf.memory();
    for (const make of [batchNormalization, layerNormalization]) {
      const layer = make({});
      tf.dispose(layer.apply(input, {training: true}) as tf.Tensor);
      tf.dispose(layer.apply(input) as tf.Tensor);
      layer.dispose();
    }
    expect(tf.memory().numTensors).toBe(numTensors);
  });
});

describe("import 'tfjs-normalization/patch'", () => {
  it('patches on import', async () => {
    ({unpatch} = jest.requireActual<{unpatch: () => void}>(
      'tfjs-normalization/patch',
    ));
    expect(await isOurs(batchNormalization(), randomTensor([3, 2], 1))).toBe(
      true,
    );
  });
});

describe('F11: a patched LayerNormalization given another length than it was built for', () => {
  let unpatch: () => void;
  beforeEach(() => {
    unpatch = patchStockLayers();
  });
  afterEach(() => {
    unpatch();
  });

  it('refuses it and reads only its weights', () => {
    const layer = tf.layers.layerNormalization({name: 'ln'});
    layer.apply(tf.zeros([4, 3]));
    for (const length of [1, 2, 4, 6, 100]) {
      expect(() => layer.apply(tf.ones([2, length]))).toThrow(
        'LayerNormalization ln: the layer was built for normalized axes of ' +
          `lengths [3]. Received: inputShape=[2,${length}]`,
      );
    }
  });

  it('refuses it in a model that shares the layer', () => {
    const shared = tf.layers.layerNormalization({axis: [1, 2]});
    const [a, b] = [tf.input({shape: [2, 3]}), tf.input({shape: [3, 3]})];
    const outputs = [shared.apply(a), shared.apply(b)] as tf.SymbolicTensor[];
    const model = tf.model({inputs: [a, b], outputs});
    const x = [tf.ones([1, 2, 3]), tf.ones([1, 3, 3])];
    expect(() => model.predict(x)).toThrow('Received: inputShape=[1,3,3]');
  });
});
