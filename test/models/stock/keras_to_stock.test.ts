// F16: converts Keras files to stock layers, as the command does; neutral
// values pass in every way of converting.
import {join} from 'node:path';
import * as tf from '@tensorflow/tfjs';
import {convertModel, fromKeras, toStock} from 'tfjs-normalization';
import {expectCloseNow} from '../../support/close.js';
import {randomTensor} from '../../support/tensors.js';
import {warnings} from '../../support/warnings.js';
import {type Json, layer, load, model, T} from '../keras/keras_json.js';
import {
  artifactsIn,
  expectPredictions,
  handlerOf,
  type KerasCase,
  loadCase,
  predictionsOf,
  readCases,
} from '../keras/keras_models.js';

const FIXTURES = join(__dirname, '../../fixtures');

const CASES = ['keras3', 'keras2'].flatMap((library) =>
  ['models', 'graphs'].flatMap((kind) =>
    readCases(join(FIXTURES, `${library}_${kind}.json`)).map(
      (given): [string, KerasCase] => [`${library}, ${given.name}`, given],
    ),
  ),
);

/** Options of these models that stock tf.js does not have. */
const LACKING =
  /^(BatchNorm|LayerNorm|GroupNorm|Normalization|RMSNorm|SpectralNorm|UnitNorm) .*: stock tf\.js (normalizes inputs of rank 2 to 4|computes batch normalization correctly only on the last axis|has batch normalization of only one axis|has no such (layer|statistics|rmsScaling|gammaConstraint))/;

/** tf.js does not write inputs that nothing uses. */
const NOT_WRITTEN = 'tf.js cannot build the model (Invalid inputShape argument';

async function written(artifacts: tf.io.ModelArtifacts): Promise<object> {
  let kept = {};
  const target = tf.io.withSaveHandler((given) => {
    kept = given;
    return Promise.resolve({} as tf.io.SaveResult);
  });
  await toStock(target).save?.(artifacts);
  return kept;
}

/** Values of Keras's options that have no effect. */
const NEUTRAL: ReadonlyArray<readonly [string, string, Json]> = [
  [
    'as Keras 3.15',
    'BatchNormalization',
    {
      renorm: false,
      renorm_clipping: null,
      renorm_momentum: 0.99,
      synchronized: false,
    },
  ],
  [
    'as Keras 2',
    'BatchNormalizationV1',
    {
      fused: true,
      virtual_batch_size: null,
      adjustment: null,
      renorm: false,
      renorm_clipping: null,
      renorm_momentum: 0.99,
    },
  ],
  ['not fused', 'BatchNormalization', {fused: false}],
  ['fused left open', 'BatchNormalization', {fused: null}],
  [
    'renorm off, and what is about it',
    'BatchNormalization',
    {renorm: false, renorm_clipping: {rmax: 3}, renorm_momentum: 0.5},
  ],
  ['of nothing', 'BatchNormalization', {trainable: true, renorm: null}],
  [
    'a policy',
    'BatchNormalization',
    {dtype: {class_name: 'DTypePolicy', config: {name: 'float32'}}},
  ],
  ['a name of a dtype', 'LayerNormalization', {dtype: 'float32'}],
  ['no rms', 'LayerNormalization', {rms_scaling: false}],
  ['constraints', 'LayerNormalization', {gamma_constraint: null}],
];

/** Options that would change the computation. */
const WITH_EFFECT: ReadonlyArray<readonly [string, string, unknown]> = [
  ['BatchNormalization', 'virtual_batch_size', 4],
  ['BatchNormalization', 'adjustment', {class_name: 'function'}],
  ['BatchNormalization', 'fused', 'maybe'],
];

const camelCase = (key: string): string =>
  key.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

describe('F16: a Keras file', () => {
  it.each(CASES)(
    'is converted to stock, or refused by name: %s',
    async (_, given) => {
      const ours = await fromKeras(handlerOf(artifactsIn(given))).load?.();
      const stock = await written(ours ?? {}).catch((error: unknown) => {
        expect((error as Error).message).toMatch(LACKING);
        return undefined;
      });
      if (!stock) return;
      expect(JSON.stringify(stock)).not.toMatch(/"(Batch|Layer)Norm"/);
      const loaded = await tf.loadLayersModel(handlerOf(stock));
      expectPredictions(given, predictionsOf(given, loaded));
    },
  );

  it('is converted in most cases whose layers stock tf.js has', async () => {
    const failed: string[] = [];
    let possible = 0;
    for (const [name, given] of CASES) {
      const ours = await fromKeras(handlerOf(artifactsIn(given))).load?.();
      const error = await written(ours ?? {}).then(
        () => undefined,
        (reason: unknown) => reason as Error,
      );
      if (error?.message.includes('has no such layer')) continue;
      possible += 1;
      if (error) failed.push(name);
    }
    expect(possible).toBeGreaterThan(70);
    expect(failed.length).toBeLessThan(possible / 4);
  });

  it.each(CASES)(
    'is converted to stock and back in memory: %s',
    async (_, given) => {
      const ours = await loadCase(given);
      const stock = await convertModel(ours, {to: 'stock'}).catch(
        (error: unknown) => {
          const {message} = error as Error;
          if (!message.includes(NOT_WRITTEN)) expect(message).toMatch(LACKING);
          return undefined;
        },
      );
      if (!stock) return;
      expectPredictions(given, predictionsOf(given, stock));
      const back = await convertModel(stock, {to: 'normalization'});
      expectPredictions(given, predictionsOf(given, back));
    },
  );

  it.each(NEUTRAL)(
    'passes in every way of converting if neutral: %s',
    async (_, className, config) => {
      const topology = model([layer(className, config)]);
      const read = await load(topology);
      const artifacts = await fromKeras(
        handlerOf({modelTopology: topology}),
      ).load?.();
      const stock = await tf.loadLayersModel(
        handlerOf(await written(artifacts ?? {})),
      );
      const x = randomTensor([3, 4], 1);
      const [a, b] = [read, stock].map((each) => each.predict(x) as tf.Tensor);
      // Differences, the root and products, in another order.
      expectCloseNow(a as tf.Tensor, b as tf.Tensor, {what: 'y', roundings: 8});
      // Nor does it matter where another program has left it in.
      const own = JSON.parse(
        JSON.stringify(artifacts?.modelTopology).replace(
          /("class_name":"(?:Batch|Layer)Norm","config":\{)/,
          `$1${JSON.stringify(config).slice(1, -1)},`,
        ),
      ) as object;
      expect(await written({modelTopology: own})).toMatchObject(
        await written(artifacts ?? {}),
      );
      for (const to of ['stock', 'normalization'] as const) {
        const converted = await convertModel(read, {to});
        const y = converted.predict(x) as tf.Tensor;
        expectCloseNow(a as tf.Tensor, y, {what: 'y', roundings: 8});
      }
      expect(warnings()).toEqual([]);
    },
  );

  it.each(WITH_EFFECT)(
    'is refused by name if it has an effect: %s, %s',
    async (className, key, value) => {
      const topology = model([layer(className, {[key]: value})]);
      await expect(load(topology)).rejects.toThrow(
        new RegExp(
          `Norm(alization)? x: .*${camelCase(key)}.*Received: ${camelCase(key)}=`,
        ),
      );
    },
  );
});

describe('F20: moving statistics in training become stock', () => {
  const norm = (config: Json = {}): object =>
    model([layer('BatchNormalization', config, T('in'), {training: false})]);

  it('with a warning', async () => {
    const ours = await fromKeras(handlerOf({modelTopology: norm()})).load?.();
    const stock = await written(ours ?? {});
    expect(JSON.stringify(stock)).toContain('"BatchNormalization"');
    expect(warnings()).toEqual([
      'toStock: stock tf.js predicts the same, and trains with the statistics ' +
        'of batches: BatchNorm x',
    ]);
  });

  it('without a warning if the layer is frozen', async () => {
    const modelTopology = norm({trainable: false});
    const ours = await fromKeras(handlerOf({modelTopology})).load?.();
    await written(ours ?? {});
    expect(warnings()).toEqual([]);
  });

  it('also in memory', async () => {
    const read = await load(norm());
    const stock = await convertModel(read, {to: 'stock'});
    expect(stock.layers[1]?.getClassName()).toBe('BatchNormalization');
    expect(warnings()).toHaveLength(1);
  });
});
