import * as tf from '@tensorflow/tfjs';
import * as family from 'tfjs-normalization';
import {fromKeras} from 'tfjs-normalization';
import {reload} from './memory_model.js';
import {trainsStockLayers} from './stock_training.js';
import {difference, randomTensor, weightsOf} from './tensors.js';

/** Facts about a layer of this package, for an input of the shape [batch, 3, 4]. */
export interface LayerContract {
  /** The name of its class among the package's exports, which messages use too. */
  readonly exported: string;
  /** Its factory, with the options that it needs for such an input. */
  readonly make: (args?: object) => tf.layers.Layer;
  /** The class name in model files. */
  readonly className: string;
  /** The class names that Keras's files have for it. */
  readonly kerasNames: readonly string[];
  /** The options beside `name` that Keras's files need, in their words. */
  readonly kerasConfig?: object;
  /** The names of its weights, in order: first those that learn. */
  readonly learnt: readonly string[];
  readonly others?: readonly string[];
  /** If true, the others move in training by themselves, whatever the batch. */
  readonly othersNeedNoBatch?: boolean;
  /** If true, it computes with a layer of tf.js's own. */
  readonly wrapsStock?: boolean;
}

type LayerClass = tf.serialization.SerializableConstructor<tf.layers.Layer> & {
  readonly description: {readonly kerasNames: readonly string[]};
  fromConfig(
    cls: LayerClass,
    config: tf.serialization.ConfigDict,
  ): tf.layers.Layer;
};

const SHAPE = [3, 4];
const BATCH = [6, ...SHAPE];
const TRAINING = {training: true};

/** The names of all layer classes that the package exports. */
export function exportedLayers(): string[] {
  return Object.entries(family)
    .filter(([, value]) => isLayerClass(value))
    .map(([name]) => name);
}

function isLayerClass(value: unknown): boolean {
  return (
    typeof value === 'function' && value.prototype instanceof tf.layers.Layer
  );
}

/** Describes what every layer of this package keeps. */
export function describeContract(contract: LayerContract): void {
  const {exported, make, className, kerasNames} = contract;
  const learnt = [...contract.learnt];
  const names = [...learnt, ...(contract.others ?? [])];
  const {[exported]: found} = family as unknown as Record<string, LayerClass>;
  const layerClass = found as LayerClass;
  const x = (): tf.Tensor => randomTensor(BATCH, 1, 2, 3);

  const built = (args?: object): tf.layers.Layer => {
    const layer = make(args);
    layer.apply(tf.input({shape: SHAPE}));
    return layer;
  };

  describe(`${exported} keeps the contract of a layer:`, () => {
    beforeEach(() => {
      if (contract.wrapsStock) trainsStockLayers();
    });

    it('weights by name, in order, those that learn apart', () => {
      const layer = built();
      const namesOf = (weights: tf.layers.Layer['weights']): unknown[] =>
        weights.map(({originalName}) => originalName.split('/').pop());
      expect(namesOf(layer.weights)).toEqual(names);
      expect(namesOf(layer.trainableWeights)).toEqual(learnt);
      expect(layer.countParams()).toBe(
        layer.weights.reduce((sum, weight) => sum + weight.read().size, 0),
      );
    });

    it('built before a model has it, it has the names that files need', async () => {
      const layers = ['a', 'b'].map((name) => make({name}));
      const model = tf.sequential();
      model.add(tf.layers.inputLayer({inputShape: SHAPE}));
      for (const layer of layers) {
        layer.build([null, ...SHAPE]);
        model.add(layer);
      }
      model.layers[2]?.setWeights(
        layers[1]?.getWeights().map((w) => tf.add(w, tf.scalar(2, w.dtype))) ??
          [],
      );
      for (const {name, weights} of layers) {
        expect(weights.map(({originalName}) => originalName)).toEqual(
          names.map((each) => `${name}/${each}`),
        );
      }
      const loaded = await reload(model);
      expect(loaded.layers.map(weightsOf)).toEqual(model.layers.map(weightsOf));
    });

    it('its own class, and names in files', () => {
      expect(make()).toBeInstanceOf(layerClass);
      expect(make().getClassName()).toBe(className);
      expect(layerClass.className).toBe(className);
      expect(layerClass.description.kerasNames).toEqual(kerasNames);
    });

    it.each(kerasNames)("loads from Keras's files as %s", async (name) => {
      const layer = built();
      const model = await loadFromKeras(name, contract, layer.weights);
      expect(lastOf(model)).toBeInstanceOf(layerClass);
      expect(weightsOf(lastOf(model))).toEqual(weightsOf(layer));
      model.dispose();
    });

    it("the output has the input's shape, and is float32", () => {
      const layer = make();
      const symbol = layer.apply(tf.input({shape: SHAPE})) as tf.SymbolicTensor;
      expect(symbol.shape).toEqual([null, ...SHAPE]);
      expect(symbol.dtype).toBe('float32');
      expect(layer.computeOutputShape([null, ...SHAPE])).toEqual([
        null,
        ...SHAPE,
      ]);
      for (const dtype of ['float32', 'int32', 'bool'] as const) {
        const y = layer.apply(tf.ones(BATCH, dtype)) as tf.Tensor;
        expect([y.dtype, y.shape]).toEqual(['float32', BATCH]);
      }
    });

    it('a config that JSON carries makes the same layer', () => {
      const layer = built({name: 'norm'});
      const text = JSON.stringify(layer.getConfig());
      const config = JSON.parse(text) as tf.serialization.ConfigDict;
      const copy = layerClass.fromConfig(layerClass, config);
      copy.apply(tf.input({shape: SHAPE}));
      expect(copy.name).toBe('norm');
      expect(JSON.stringify(copy.getConfig())).toBe(text);
      copy.setWeights(layer.getWeights());
      const [y, again] = [layer, copy].map((each) => each.apply(x()));
      expect(difference(again as tf.Tensor, y as tf.Tensor)).toBe(0);
    });

    it('an option or an argument that is unknown is refused by name', () => {
      const construct = (): unknown => make({name: 'norm', units: 3});
      expect(construct).toThrow(`${exported} norm: unknown option units;`);
      expect(construct).toThrow('Received: units=3');
      const layer = make({name: 'norm'});
      const call = (): unknown => layer.apply(x(), {traning: true});
      expect(call).toThrow(`${exported} norm: unknown option traning;`);
      expect(call).toThrow('Received: traning=true');
    });

    it('a mask is passed on', () => {
      const mask = tf.tensor2d([[1, 0, 1]], [1, 3], 'bool');
      const layer = make();
      expect(layer.supportsMasking).toBe(true);
      expect(layer.computeMask(tf.ones([1, ...SHAPE]), mask)).toBe(mask);
    });

    it('a step of training lowers the loss, and leaves no tensor', async () => {
      const layer = make();
      const {model, step} = trainable(layer);
      const before = weightsOf(layer);
      const [dense] = model.layers as [tf.layers.Layer];
      const kernel = weightsOf(dense).kernel;
      const losses = [await step(), await step()];
      expect(losses[1]).toBeLessThan(losses[0] ?? NaN);
      // Through the layer, and into it.
      expect(weightsOf(dense).kernel).not.toEqual(kernel);
      for (const name of learnt) {
        expect([name, weightsOf(layer)[name]]).not.toEqual([
          name,
          before[name],
        ]);
      }
      const {numTensors} = tf.memory();
      await step();
      expect(tf.memory().numTensors).toBe(numTensors);
      model.dispose();
    });

    it('frozen, it writes nothing', async () => {
      const layer = make({trainable: false});
      const {model, step} = trainable(layer);
      const before = weightsOf(layer);
      await step();
      layer.apply(x(), TRAINING);
      expect(layer.trainableWeights).toEqual([]);
      expect(weightsOf(layer)).toEqual(before);
      model.dispose();
    });

    it('the same numbers after a model has been trained, saved and loaded', async () => {
      const layer = make();
      const {model, step, input} = trainable(layer);
      await step();
      const loaded = await reload(model);
      const copy = lastOf(loaded);
      expect(copy).toBeInstanceOf(layerClass);
      expect(copy.getConfig()).toEqual(layer.getConfig());
      expect(weightsOf(copy)).toEqual(weightsOf(layer));
      const [y, again] = [model, loaded].map((each) => each.predict(input));
      expect(difference(again as tf.Tensor, y as tf.Tensor)).toBe(0);
      model.dispose();
      loaded.dispose();
    });

    it('a model predicts what a call gives', () => {
      const layer = make({inputShape: SHAPE});
      const model = tf.sequential({layers: [layer]});
      const predicted = model.predict(x()) as tf.Tensor;
      expect(difference(layer.apply(x()) as tf.Tensor, predicted)).toBe(0);
      const other = built();
      other.setWeights(layer.getWeights());
      const trained = model.apply(x(), TRAINING) as tf.Tensor;
      const called = other.apply(x(), TRAINING) as tf.Tensor;
      expect(difference(called, trained)).toBe(0);
      expect(weightsOf(other)).toEqual(weightsOf(layer));
    });

    it('an empty batch gives an empty batch, in training too, and changes no weight', () => {
      const layer = built();
      const kept = contract.othersNeedNoBatch ? learnt : names;
      const values = (): unknown[] =>
        kept.map((name) => weightsOf(layer)[name]);
      const before = values();
      const empty = tf.zeros([0, ...SHAPE]);
      for (const training of [false, true]) {
        const f = (a: tf.Tensor): tf.Tensor =>
          layer.apply(a, {training}) as tf.Tensor;
        expect(f(empty).shape).toEqual([0, ...SHAPE]);
        // On a GPU tf.js's own dense layer has no gradient for an empty batch.
        if (contract.wrapsStock && tf.getBackend().startsWith('webg')) continue;
        expect(tf.grad(f)(empty).shape).toEqual([0, ...SHAPE]);
      }
      expect(values()).toEqual(before);
    });

    it('nothing is left of it once it is disposed', () => {
      const input = x();
      const before = tf.memory().numTensors;
      const layer = make();
      const f = (a: tf.Tensor): tf.Tensor =>
        layer.apply(a, TRAINING) as tf.Tensor;
      tf.dispose([
        f(input),
        layer.apply(input) as tf.Tensor,
        tf.grad(f)(input),
      ]);
      layer.dispose();
      expect(tf.memory().numTensors).toBe(before);
      expect(() => layer.apply(input)).toThrow('disposed');
    });
  });
}

function lastOf(model: tf.LayersModel): tf.layers.Layer {
  return model.layers[model.layers.length - 1] as tf.layers.Layer;
}

/**
 * A model that ends with the layer, after weights that learn through it alone.
 *
 * @return The model, its input, and a step of training that gives the loss before it.
 */
function trainable(layer: tf.layers.Layer): {
  model: tf.Sequential;
  input: tf.Tensor;
  step: () => Promise<number>;
} {
  trainsStockLayers();
  const model = tf.sequential();
  const kernelInitializer = tf.initializers.glorotUniform({seed: 5});
  model.add(tf.layers.dense({units: 12, inputShape: [5], kernelInitializer}));
  model.add(tf.layers.reshape({targetShape: SHAPE}));
  model.add(layer);
  model.compile({optimizer: tf.train.sgd(0.1), loss: 'meanSquaredError'});
  const input = randomTensor([6, 5], 2);
  const target = randomTensor(BATCH, 3);
  return {
    model,
    input,
    step: async () => Number(await model.trainOnBatch(input, target)),
  };
}

/** Loads a model of one layer as Keras 2 writes it. */
async function loadFromKeras(
  className: string,
  {kerasConfig}: LayerContract,
  weights: tf.layers.Layer['weights'],
): Promise<tf.LayersModel> {
  const input = {batch_input_shape: [null, ...SHAPE], name: 'in'};
  const layers = [
    {class_name: 'InputLayer', config: {...input, dtype: 'float32'}},
    {class_name: className, config: {name: 'norm', ...kerasConfig}},
  ];
  const model_config = {class_name: 'Sequential', config: {name: 'm', layers}};
  const modelTopology = {
    keras_version: '2.12.0',
    backend: 'tensorflow',
    model_config,
  };
  const {data: weightData, specs: weightSpecs} = await tf.io.encodeWeights(
    weights.map((weight) => ({
      name: `norm/${weight.originalName.split('/').pop()}`,
      tensor: weight.read(),
    })),
  );
  const load = (): Promise<tf.io.ModelArtifacts> =>
    Promise.resolve({modelTopology, weightSpecs, weightData});
  return tf.loadLayersModel(fromKeras({load}));
}
