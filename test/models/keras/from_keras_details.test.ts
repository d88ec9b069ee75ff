// Tests fromKeras beyond equal predictions.
import {join} from 'node:path';
import * as tf from '@tensorflow/tfjs';
import {
  BatchNorm,
  batchNorm,
  fromKeras,
  LayerNorm,
  layerNorm,
} from 'tfjs-normalization';
import {layersOf} from '../../../src/models/graph/live_model.js';
import {expectCloseNow} from '../../support/close.js';
import {artifactsOf} from '../../support/memory_model.js';
import {randomTensor, valuesOf} from '../../support/tensors.js';
import {warnings} from '../../support/warnings.js';
import {
  artifactsIn,
  handlerOf,
  type KerasCase,
  readCases,
} from './keras_models.js';

const FIXTURES = join(__dirname, '../../fixtures');
const KERAS_3 = readCases(join(FIXTURES, 'keras3_models.json'));
const KERAS_2 = readCases(join(FIXTURES, 'keras2_models.json'));

const caseOf = (cases: KerasCase[], wanted: string): tf.io.ModelArtifacts => {
  const found = cases.find(({name}) => name === wanted);
  if (!found) throw new Error(`there is no case ${wanted}`);
  return artifactsIn(found);
};

const load = (artifacts: tf.io.ModelArtifacts): Promise<tf.LayersModel> =>
  tf.loadLayersModel(fromKeras(handlerOf(artifacts)));

const layerNamed = (model: tf.LayersModel, wanted: string): tf.layers.Layer => {
  const found = layersOf(model).find(({path}) => path === wanted);
  if (!found) throw new Error(`there is no layer ${wanted}`);
  return found.layer;
};

const statisticsOf = (model: tf.LayersModel, path: string): unknown =>
  layerNamed(model, path).getConfig().statistics;

describe('fromKeras', () => {
  it('keeps every option of the normalization layers', async () => {
    for (const cases of [KERAS_3, KERAS_2]) {
      const model = await load(caseOf(cases, 'batch norm options'));
      const config = (i: number): tf.serialization.ConfigDict =>
        layerNamed(model, `norm${i}`).getConfig();
      expect(layerNamed(model, 'norm0')).toBeInstanceOf(BatchNorm);
      expect(config(0)).toMatchObject({scale: false, center: true});
      expect(config(1)).toMatchObject({scale: true, center: false});
      expect(config(2)).toMatchObject({epsilon: 0.1});
      expect(config(3)).toMatchObject({momentum: 0.5, axis: 1});
      expect(config(4).gammaRegularizer).toMatchObject({config: {l1: 0}});
      expect(config(5).betaRegularizer).toMatchObject({className: 'L1L2'});
      expect(config(6)).toMatchObject({
        gammaConstraint: {className: 'NonNeg'},
        betaConstraint: {className: 'MaxNorm'},
      });
      expect(config(7).gammaInitializer).toMatchObject({config: {value: 2}});
      expect(config(8)).toMatchObject({
        trainable: false,
        // The tf.js equivalent of he_normal.
        movingVarianceInitializer: {className: 'VarianceScaling'},
      });
    }
    const model = await load(caseOf(KERAS_3, 'layer norm options'));
    expect(layerNamed(model, 'norm1')).toBeInstanceOf(LayerNorm);
    expect(layerNamed(model, 'norm2').getConfig()).toMatchObject({
      axis: [-2, -1],
      epsilon: 0.1,
    });
  });

  it('converts training at a call site to statistics', async () => {
    for (const cases of [KERAS_3, KERAS_2]) {
      const first = await load(caseOf(cases, 'training=True'));
      expect(statisticsOf(first, 'norm')).toBe('batch');
      expect(statisticsOf(first, 'other')).toBe('moving');
      const around = await load(caseOf(cases, 'training=False around'));
      expect(statisticsOf(around, 'base/base_norm')).toBe('moving');
      const frozen = await load(caseOf(cases, 'training=True, frozen'));
      expect(statisticsOf(frozen, 'norm')).toBe('moving');
    }
    // In Keras 3 the outermost argument wins, in Keras 2 the innermost.
    const name = 'training=True within training=False';
    const [three, two] = [
      await load(caseOf(KERAS_3, name)),
      await load(caseOf(KERAS_2, name)),
    ];
    expect(statisticsOf(three, 'base/base_norm')).toBe('moving');
    expect(statisticsOf(two, 'base/base_norm')).toBe('batch');
  });

  it('turns a layer’s randomness off where Keras 2 does', async () => {
    const model = await load(caseOf(KERAS_2, 'training=False around'));
    const dropout = layerNamed(model, 'base/base_dropout');
    expect(dropout.getConfig().rate).toBe(0);
    expect(warnings()).toEqual([
      'fromKeras: layers called with training=False are no longer random: ' +
        'Dropout base_dropout',
    ]);
  });

  it('renames equal names, with one warning', async () => {
    const model = await load(caseOf(KERAS_3, 'nested with equal names'));
    const names = model.weights.map(({originalName}) => originalName);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toContain('dense/kernel');
    expect(warnings()).toHaveLength(1);
    expect(warnings()[0]).toMatch(
      /^fromKeras: tf\.js needs unique, valid layer names; renamed: .*dense → first_dense/,
    );
  });

  it('renames layers whose names tf.js does not allow', async () => {
    const artifacts = caseOf(KERAS_3, 'sequential, by hand');
    const text = JSON.stringify(artifacts);
    const json = JSON.parse(
      text
        .replaceAll('"batch_normalization"', '"my norm"')
        .replaceAll('batch_normalization/', 'my norm/')
        .replaceAll('"layer_normalization"', '"toString"')
        .replaceAll('layer_normalization/', 'toString/'),
    ) as tf.io.ModelArtifacts;
    const model = await load({...json, weightData: artifacts.weightData});
    const names = model.layers.map(({name}) => name);
    expect(names).toContain('my_norm');
    expect(names).toContain('layer_toString');
    expect(warnings()).toHaveLength(1);
  });

  it('accepts old names of the layer', async () => {
    for (const old of [
      'BatchNormalizationV1',
      'BatchNormalizationV2',
      'SyncBatchNormalization',
    ]) {
      const artifacts = caseOf(KERAS_2, 'sequential');
      const text = JSON.stringify(artifacts.modelTopology);
      const modelTopology = JSON.parse(
        text.replaceAll('"BatchNormalization"', `"${old}"`),
      ) as object;
      const model = await load({...artifacts, modelTopology});
      expect(layersOf(model).map(({layer}) => layer.getClassName())).toContain(
        'BatchNorm',
      );
    }
  });

  it('ignores synchronized, since a batch is whole here', async () => {
    const artifacts = caseOf(KERAS_3, 'sequential');
    const text = JSON.stringify(artifacts.modelTopology);
    const modelTopology = JSON.parse(
      text.replaceAll('"synchronized":false', '"synchronized":true'),
    ) as object;
    await load({...artifacts, modelTopology});
    expect(warnings()).toEqual([]);
  });

  it('computes mixed precision in float32, and warns', async () => {
    const artifacts = caseOf(KERAS_3, 'sequential');
    const text = JSON.stringify(artifacts.modelTopology);
    const modelTopology = JSON.parse(
      text.replaceAll('{"name":"float32"}', '{"name":"mixed_float16"}'),
    ) as object;
    await load({...artifacts, modelTopology});
    expect(warnings()).toHaveLength(1);
    expect(warnings()[0]).toMatch(
      /^fromKeras: tf\.js computes in float32 instead of mixed_float16: Dense /,
    );
  });

  it('skips other values among the weights', async () => {
    const artifacts = caseOf(KERAS_3, 'written as: keras file');
    const state = new Uint32Array([1, 2]).buffer;
    const {weightData = []} = artifacts;
    const model = await load({
      ...artifacts,
      weightSpecs: [
        {
          name: 'layers/dropout/seed_generator/vars/0',
          shape: [2],
          dtype: 'int32',
        },
        ...(artifacts.weightSpecs ?? []),
      ],
      weightData: [state, ...[weightData].flat()],
    });
    const plain = await load(caseOf(KERAS_3, 'written as: keras file'));
    expect(model.getWeights().map(valuesOf)).toEqual(
      plain.getWeights().map(valuesOf),
    );
  });

  it('reads weights in pieces, and quantized ones', async () => {
    const artifacts = caseOf(KERAS_3, 'sequential');
    const data = artifacts.weightData as ArrayBuffer;
    const plain = await load(artifacts);
    const pieces = [data.slice(0, 7), data.slice(7, 50), data.slice(50)];
    const model = await load({...artifacts, weightData: pieces});
    expect(model.getWeights().map(valuesOf)).toEqual(
      plain.getWeights().map(valuesOf),
    );
    const [first, ...others] = artifacts.weightSpecs ?? [];
    if (!first) throw new Error('there is no weight');
    const size = first.shape.reduce((product, n) => product * n, 1);
    const quantized = new Uint8Array(size).fill(3);
    const quantization = {dtype: 'uint8', scale: 0.5, min: 1} as const;
    const half = await load({
      ...artifacts,
      weightSpecs: [{...first, quantization}, ...others],
      weightData: [quantized.buffer, data.slice(4 * size)],
    });
    const changed = half.getWeights().map(valuesOf).flat();
    expect(changed.filter((value) => value === 2.5)).toHaveLength(size);
  });

  it('loads files of stock tf.js and of this package', async () => {
    const x = randomTensor([4, 3], 1);
    for (const make of [
      (): tf.layers.Layer[] => [
        tf.layers.batchNormalization({inputShape: [3]}),
        tf.layers.layerNormalization(),
        tf.layers.dense({units: 2, activation: 'hardSigmoid'}),
      ],
      (): tf.layers.Layer[] => [
        batchNorm({statistics: 'batch', inputShape: [3]}),
        layerNorm({scale: false}),
      ],
    ]) {
      const saved = tf.sequential({layers: make()});
      const model = await load(await artifactsOf(saved));
      expect(layersOf(model).map(({layer}) => layer.getClassName())).toEqual(
        expect.arrayContaining(['BatchNorm', 'LayerNorm']),
      );
      const [a, b] = [saved, model].map((each) => each.predict(x) as tf.Tensor);
      // Differences, roots, products and sums of two normalizations, in another order.
      expectCloseNow(a as tf.Tensor, b as tf.Tensor, {what: 'y', roundings: 8});
    }
  });

  it('keeps the optimizer of a file of tf.js', async () => {
    const saved = tf.sequential({layers: [batchNorm({inputShape: [3]})]});
    saved.compile({optimizer: 'adam', loss: 'meanSquaredError'});
    const x = randomTensor([4, 3], 1);
    tf.env().set('IS_TEST', false);
    await saved.fit(x, x, {epochs: 1, verbose: 0});
    const model = await load(
      await artifactsOf(saved, {includeOptimizer: true}),
    );
    const counts = [saved, model].map(async ({optimizer}) =>
      (await optimizer.getWeights()).map(({tensor}) => tensor.size),
    );
    expect(await counts[1]).toEqual(await counts[0]);
    await model.fit(x, x, {epochs: 1, verbose: 0});
  });

  it('loads a model without weights, with initial weights', async () => {
    const {modelTopology} = caseOf(KERAS_2, 'sequential');
    const model = await load({modelTopology});
    expect(valuesOf(model.getWeights()[1] as tf.Tensor)).toEqual([
      1, 1, 1, 1, 1,
    ]);
  });

  it('loads a custom layer unchanged', async () => {
    class Twice extends tf.layers.Layer {
      static readonly className = 'Twice';

      override call(x: tf.Tensor | tf.Tensor[]): tf.Tensor {
        return tf.mul([x].flat()[0] as tf.Tensor, 2);
      }
    }
    tf.serialization.registerClass(Twice);
    const saved = tf.sequential({
      layers: [batchNorm({inputShape: [3]}), new Twice({name: 'twice'})],
    });
    const model = await load(await artifactsOf(saved));
    expect(model.layers[1]).toBeInstanceOf(Twice);
  });

  it('leaves out custom initializers, since there are weights', async () => {
    const artifacts = caseOf(KERAS_3, 'sequential');
    const text = JSON.stringify(artifacts.modelTopology);
    const modelTopology = JSON.parse(
      text
        .replaceAll('"GlorotUniform"', '"Mine"')
        .replaceAll('"LecunNormal"', '"OrthogonalInitializer"')
        .replaceAll(
          '"kernel_regularizer":null',
          '"kernel_regularizer":{"class_name":"L1","config":{"l1":0.5}}',
        )
        .replaceAll(
          '"bias_constraint":null',
          '"bias_constraint":{"class_name":"NonNeg","config":{}},' +
            '"activity_regularizer":{"class_name":"L2","config":{}}',
        ),
    ) as object;
    const model = await load({...artifacts, modelTopology});
    expect(layerNamed(model, 'dense').getConfig()).toMatchObject({
      kernelRegularizer: {className: 'L1L2', config: {l1: 0.5, l2: 0}},
      biasConstraint: {className: 'NonNeg'},
    });
    expect(warnings().map((text) => text.split(': ')[1])).toEqual([
      'initializers that tf.js does not have are left out, as the weights are ' +
        'loaded',
      'tf.js does not apply the constraints of its own layers in training',
      'tf.js has no activity regularizers in training',
    ]);
  });

  it('refuses two weights of the same name that it cannot tell apart', async () => {
    const inner = (name: string, trainable: boolean): tf.LayersModel =>
      tf.sequential({
        name,
        layers: [
          tf.layers.dense({name: 'd', units: 3, inputShape: [3], trainable}),
        ],
      });
    const saved = tf.sequential({
      layers: [inner('a', false), inner('b', true)],
    });
    await expect(load(await artifactsOf(saved))).rejects.toThrow(
      'fromKeras: the file has two weights of the same name. Received: name="d/',
    );
  });

  it('names the source that it cannot load from', async () => {
    const router = (url: string | string[]): tf.io.IOHandler =>
      url === 'two://model'
        ? {load: () => Promise.reject(new Error('never'))}
        : (null as unknown as tf.io.IOHandler);
    tf.io.registerLoadRouter(router);
    tf.io.registerLoadRouter((url) => router(url));
    expect(() => fromKeras('two://model')).toThrow(
      'fromKeras: 2 handlers are registered for the URL. Received: ' +
        'url="two://model"',
    );
    for (const source of [{}, null, 3]) {
      expect(() => fromKeras(source as tf.io.IOHandler)).toThrow(
        'fromKeras: the source must be a URL or an IOHandler that loads. ' +
          `Received: source=${JSON.stringify(source)}`,
      );
    }
    const failing = {load: () => Promise.reject(new Error('no such file'))};
    await expect(tf.loadLayersModel(fromKeras(failing))).rejects.toThrow(
      'no such file',
    );
  });
});
