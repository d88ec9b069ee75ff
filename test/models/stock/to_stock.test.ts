import * as tf from '@tensorflow/tfjs';
import {
  BatchNorm,
  batchNorm,
  LayerNorm,
  layerNorm,
  toStock,
  type ToStockOptions,
} from 'tfjs-normalization';
import {expectCloseNow} from '../../support/close.js';
import {artifactsOf} from '../../support/memory_model.js';
import {randomTensor} from '../../support/tensors.js';
import {warnings} from '../../support/warnings.js';

type Artifacts = tf.io.ModelArtifacts;

/**
 * Returns the artifacts that `model.save(toStock(…))` passes to the handler.
 */
async function written(
  model: tf.LayersModel,
  options?: ToStockOptions,
): Promise<Artifacts> {
  let kept: Artifacts = {};
  const target = tf.io.withSaveHandler((artifacts) => {
    kept = artifacts;
    return Promise.resolve({
      modelArtifactsInfo: tf.io.getModelArtifactsInfoForJSON(artifacts),
    });
  });
  await model.save(toStock(target, options));
  return kept;
}

const asStock = async (
  model: tf.LayersModel,
  options?: ToStockOptions,
): Promise<tf.LayersModel> =>
  tf.loadLayersModel(tf.io.fromMemory(await written(model, options)));

/** Sets random weights, so that a mix-up makes a difference. */
function shake(model: tf.LayersModel): tf.LayersModel {
  const values = model.getWeights().map((weight, i) =>
    // No variance may be negative.
    tf.add(0.5, tf.abs(randomTensor(weight.shape, i))),
  );
  model.setWeights(values);
  return model;
}

function network(): tf.LayersModel {
  const inner = tf.sequential({
    name: 'inner',
    layers: [
      tf.layers.dense({units: 4, inputShape: [3, 4], name: 'dense'}),
      batchNorm({name: 'bn', movingAverage: 'cumulative', axis: [2]}),
      tf.layers.timeDistributed({
        name: 'times',
        layer: batchNorm({name: 'each', movingAverage: 'cumulative'}),
      }),
    ],
  });
  const input = tf.input({shape: [3, 4]});
  const output = layerNorm({name: 'ln', axis: [-1, 1]}).apply(
    inner.apply(input),
  ) as tf.SymbolicTensor;
  return shake(tf.model({inputs: input, outputs: output}));
}

const one = (layer: tf.layers.Layer): tf.LayersModel =>
  shake(tf.sequential({layers: [layer]}));

const COUNT = 'bn/num_batches';

/** A layer with a weight that is called as one of BatchNorm's. */
class Counting extends tf.layers.Layer {
  static readonly className = 'Counting';

  override build(): void {
    const ones = tf.initializers.ones();
    this.addWeight('num_batches', [7], 'float32', ones);
    this.built = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor | tf.Tensor[] {
    return inputs;
  }
}

tf.serialization.registerClass(Counting);

describe('toStock', () => {
  it('writes models that stock tf.js loads, and that predict the same', async () => {
    const model = network();
    const x = randomTensor([5, 3, 4], 7);
    const numbers = tf.memory().numTensors;
    const artifacts = await written(model);
    expect(tf.memory().numTensors).toBe(numbers);
    expect(JSON.stringify(artifacts.modelTopology)).not.toMatch(
      /"(BatchNorm|LayerNorm)"/,
    );
    const names = artifacts.weightSpecs?.map(({name}) => name);
    expect(names?.filter((name) => name.includes('num_batches'))).toEqual([]);
    const stock = await tf.loadLayersModel(tf.io.fromMemory(artifacts));
    const [a, b] = [model, stock].map((each) => each.predict(x) as tf.Tensor);
    // Both subtract a mean and divide, in another order, three times.
    expectCloseNow(a as tf.Tensor, b as tf.Tensor, {what: 'y', roundings: 32});
    expect(warnings()).toEqual([
      'toStock: left out, as it only matters in training: ' +
        'BatchNorm inner/bn (movingAverage), ' +
        'BatchNorm inner/times/each (movingAverage)',
    ]);
  });

  it('leaves out its own weights only, whatever others are called', async () => {
    const input = tf.input({shape: [3]});
    const inner = tf.sequential({
      layers: [new Counting({name: 'bn', inputShape: [3]})],
    });
    const own = batchNorm({name: 'bn', movingAverage: 'cumulative'});
    const counted = inner.apply(input) as tf.SymbolicTensor;
    const outputs = own.apply(counted) as tf.SymbolicTensor;
    const {weightSpecs = []} = await written(
      tf.model({inputs: input, outputs}),
    );
    expect(warnings()).toHaveLength(1);
    const names = weightSpecs.map(({name}) => name);
    expect(names.filter((name) => name === COUNT)).toHaveLength(1);
    // That of the program's own, whose shape tells it apart.
    const [count] = weightSpecs.filter(({name}) => name === COUNT);
    expect(count?.shape).toEqual([7]);
  });

  it('says that a variable has taken the name of a weight', async () => {
    const model = one(batchNorm({name: 'clash', inputShape: [3]}));
    // Another copy of tf.js counts names on its own.
    const others = [1, 2, 3].map((i) =>
      tf.variable(tf.zeros([1]), true, `clash/gamma_${i}`),
    );
    await expect(written(model)).rejects.toThrow(
      /^toStock: a variable has the name .*npm ls.* Received: name="clash\/gamma_1"$/,
    );
    tf.dispose(others);
    await expect(written(model)).resolves.toBeDefined();
  });

  it('keeps every option that stock has', async () => {
    const options = {
      axis: 1,
      momentum: 0.9,
      epsilon: 0.01,
      betaInitializer: 'ones',
      gammaRegularizer: tf.regularizers.l2({l2: 0.5}),
      betaConstraint: 'nonNeg',
      trainable: false,
      name: 'bn',
    };
    const stock = await asStock(one(batchNorm({...options, inputShape: [3]})));
    expect(stock.layers[0]?.getConfig()).toMatchObject({
      axis: 1,
      momentum: 0.9,
      epsilon: 0.01,
      betaInitializer: {className: 'Ones'},
      gammaRegularizer: {className: 'L1L2', config: {l1: 0, l2: 0.5}},
      betaConstraint: {className: 'NonNeg'},
      trainable: false,
      name: 'bn',
    });
  });

  const LACKING: Array<[string, string, () => tf.layers.Layer, string]> = [
    [
      'batch statistics',
      'statistics',
      () => batchNorm({statistics: 'batch', inputShape: [3]}),
      'statistics="batch"',
    ],
    [
      'another axis than the last',
      'axis',
      () => batchNorm({axis: 1, inputShape: [3, 4]}),
      'axis=1',
    ],
    [
      'a high rank',
      'axis',
      () => layerNorm({inputShape: [2, 2, 2, 3]}),
      'axis=-1',
    ],
    [
      'a constraint of layer normalization',
      'gammaConstraint',
      () => layerNorm({gammaConstraint: 'nonNeg', inputShape: [3]}),
      'gammaConstraint={"class_name":"NonNeg","config":{}}',
    ],
  ];

  it.each(LACKING)(
    'refuses %s, naming %s',
    async (_, option, make, received) => {
      const layer = make();
      const save = written(one(layer));
      await expect(save).rejects.toThrow(
        `${layer.getClassName()} ${layer.name}: stock tf.js `,
      );
      await expect(save).rejects.toThrow(`Received: ${received}`);
      expect(option).toBeTruthy();
    },
  );

  it.each(LACKING)(
    'loses %s, naming %s, with lossy',
    async (_, option, make) => {
      const layer = make();
      const stock = await asStock(one(layer), {lossy: true});
      expect(stock.layers[0]).not.toBeInstanceOf(BatchNorm);
      expect(stock.layers[0]).not.toBeInstanceOf(LayerNorm);
      expect(warnings()).toEqual([
        `toStock: lost, as stock tf.js does not have it: ` +
          `${layer.getClassName()} ${layer.name} (${option})`,
      ]);
    },
  );

  it('refuses a list of axes in any case', async () => {
    const model = one(batchNorm({axis: [1, 2], inputShape: [3, 4], name: 'b'}));
    for (const lossy of [false, true]) {
      await expect(written(model, {lossy})).rejects.toThrow(
        'BatchNorm b: stock tf.js has batch normalization of only one axis. ' +
          'Received: axis=[1,2]',
      );
    }
  });

  it('warns of layers that stock cannot train', async () => {
    await written(one(batchNorm({scale: false, inputShape: [3], name: 'b'})));
    expect(warnings()).toEqual([
      'toStock: stock tf.js predicts with it and cannot train it: BatchNorm b',
    ]);
  });

  it('refuses weights that stock could not tell apart', async () => {
    const inner = (name: string): tf.LayersModel =>
      tf.sequential({
        name,
        layers: [batchNorm({name: 'norm', inputShape: [3]})],
      });
    const model = tf.sequential({layers: [inner('a'), inner('b')]});
    await expect(written(model)).rejects.toThrow(
      'toStock: two weights have the same name, and tf.js cannot load them. ' +
        'Received: name="norm/gamma"',
    );
  });

  it('refuses anything but a model', async () => {
    const handler = toStock(
      tf.io.withSaveHandler(() => Promise.reject(new Error('never'))),
    );
    await expect(handler.save?.({})).rejects.toThrow(
      'toStock: there is no model topology. Received: modelTopology=undefined',
    );
  });

  it('writes a topology without weights', async () => {
    const {modelTopology} = await artifactsOf(
      one(batchNorm({inputShape: [3]})),
    );
    let kept: Artifacts = {};
    const handler = toStock(
      tf.io.withSaveHandler((artifacts) => {
        kept = artifacts;
        return Promise.resolve({} as tf.io.SaveResult);
      }),
    );
    await handler.save?.({modelTopology});
    expect(kept.weightSpecs).toBeUndefined();
    expect(JSON.stringify(kept)).toContain('"BatchNormalization"');
  });

  it('saves to URLs with a handler, and nowhere else', async () => {
    const model = one(batchNorm({inputShape: [3]}));
    expect(() => toStock('nowhere://model')).toThrow(
      'toStock: the target must be a URL of a registered scheme or an ' +
        'IOHandler that saves. Received: target="nowhere://model"',
    );
    expect(() => toStock({})).toThrow('Received: target={}');
    expect(await artifactsOf(model)).toBeDefined();
  });
});
