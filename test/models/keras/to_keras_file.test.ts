// Files for Keras are read back here. By `npm run test:keras`, Keras reads them, too.
import {mkdirSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import * as tf from '@tensorflow/tfjs';
import * as fc from 'fast-check';
import {batchNorm, rmsNorm} from 'tfjs-normalization';
import {fromKerasFile, toKerasFile} from 'tfjs-normalization/keras';
import {ContribInstanceNorm} from '../../../layers/contrib_instance_norm.js';
import {readHdf5} from '../../../src/keras_file/hdf5/read_hdf5.js';
import {readZip} from '../../../src/keras_file/zip.js';
import {expectCloseNow} from '../../support/close.js';
import {backend} from '../../support/backend.js';
import {through} from '../../support/models.js';
import {magnitude, valuesOf} from '../../support/tensors.js';
import {warnings} from '../../support/warnings.js';
import {CASES, inputsFor, modelOf} from './every_layer.js';
import {
  isRefused,
  MODELS,
  REFUSED_LAYERS,
  withRandomWeights,
} from './models_for_keras.js';

/**
 * The config without keys that are null, which is the default of all that may be, and of
 * a Reshape only the rank: reading finds the length that is open.
 */
const configIn = (bytes: Uint8Array): unknown =>
  JSON.parse(
    tf.util.decodeString(readZip(bytes, 'test').get('config.json') as never),
    (key, value: unknown) => {
      if (key === 'target_shape') return (value as number[]).length;
      // tf.js renumbers stacked cells.
      return typeof value === 'string'
        ? value.replace(/RNNCells\d+/, 'RNNCells')
        : (value ?? undefined);
    },
  );

/** A regularizer that Keras does not have. */
const own = Object.assign(tf.regularizers.l1(), {getClassName: () => 'Own'});

/**
 * tf.js's wasm computes conv3dTranspose wrongly: by 10.7 off its cpu backend, for the op
 * alone. tfjs-node lacks the kernel DenseBincount of categoryEncoding.
 */
const NOT_COMPUTED: Readonly<Record<string, string>> = {
  wasm: 'conv3dTranspose',
  tensorflow: 'categoryEncoding',
};

const RIGHT = MODELS.filter(([name]) => name !== NOT_COMPUTED[backend]);

const FOLDER = process.env.KERAS_MODELS;

/** `npm run test:keras` has Keras load them. */
(FOLDER === undefined ? describe.skip : describe)('files for Keras', () => {
  it('are written, with predictions', async () => {
    const folder = join(FOLDER ?? '', 'files');
    mkdirSync(folder, {recursive: true});
    const manifest: object[] = [];
    for (const [name, make] of MODELS) {
      const model = withRandomWeights(make());
      const inputs = inputsFor(model);
      const file = `${manifest.length}.keras`;
      // Before predictions, which change states.
      writeFileSync(join(folder, file), await toKerasFile(model));
      const predict = (): object[] => [model.predict(inputs)].flat().map(plain);
      const train = (): object[] =>
        [model.apply(inputs, {training: true}) as tf.Tensor].map(plain);
      manifest.push({
        ...{name, file},
        inputs: inputs.map(plain),
        outputs: predict(),
        // Its other weights act only in training.
        ...(name.includes('renorm') && {trained: [...train(), ...predict()]}),
      });
    }
    writeFileSync(join(folder, 'files.json'), JSON.stringify(manifest));
  });
});

function plain(tensor: tf.Tensor): object {
  const {shape, dtype} = tensor;
  return {shape, dtype, values: valuesOf(tensor)};
}

describe('toKerasFile', () => {
  it.each(RIGHT)('%s, read back, is the same', async (_, make) => {
    const model = withRandomWeights(make());
    const x = inputsFor(model);
    const expected = [model.predict(x)].flat();
    const {numTensors} = tf.memory();
    const bytes = await toKerasFile(model);
    expect(tf.memory().numTensors).toBe(numTensors);
    const back = await fromKerasFile(bytes);
    const found = [back.predict(x)].flat();
    expect(found.map(({shape}) => shape)).toEqual(
      expected.map(({shape}) => shape),
    );
    found.forEach((y, i) => {
      expectCloseNow(y, expected[i] as tf.Tensor, {
        what: 'y',
        // The normalizations here, against tf.js's own.
        roundings: 20,
        scale: 4,
      });
    });
    expect(configIn(await toKerasFile(back))).toEqual(configIn(bytes));
  });

  it.each(CASES.filter(([name]) => isRefused(name)))(
    '%s is refused',
    async (name, kind, make) => {
      const [, why = ''] =
        Object.entries(REFUSED_LAYERS).find(([begin]) =>
          name.startsWith(begin),
        ) ?? [];
      await expect(toKerasFile(modelOf(kind, make))).rejects.toThrow(why);
    },
  );

  const one = (layer: tf.layers.Layer, shape = [4]): tf.LayersModel =>
    modelOf([shape], () => layer);

  it.each([
    [
      'a layer that Keras lacks',
      () => one(new ContribInstanceNorm()),
      /^ContribInstanceNorm \w+: Keras 3 has no such layer\. Received: className=/,
    ],
    [
      'several axes',
      () => one(batchNorm({axis: [1, 2]}), [4, 3]),
      /^BatchNorm \w+: Keras has batch normalization of only one axis\. Received: axis=\[1,2\]/,
    ],
    [
      'statistics of the batch in a sequential model',
      () =>
        tf.sequential({
          layers: [batchNorm({inputShape: [4], statistics: 'batch'})],
        }),
      /^BatchNorm \w+: Keras takes statistics of batches .* Received: statistics="batch"/,
    ],
    [
      'a regularizer of a program',
      () => one(tf.layers.dense({units: 2, kernelRegularizer: own})),
      /^Dense \w+: Keras has no such kernel_regularizer/,
    ],
    [
      'an activation that only tf.js has',
      () => one(tf.layers.dense({units: 2, activation: 'gelu_new'})),
      /^Dense \w+: Keras 3 has no such activation\. Received: activation="gelu_new"/,
    ],
    [
      'a mask that tf.js passes on otherwise',
      () =>
        tf.sequential({
          layers: [
            tf.layers.masking({inputShape: [5, 4]}),
            tf.layers.lstm({
              units: 2,
              recurrentActivation: 'sigmoid',
              returnSequences: true,
            }),
            tf.layers.globalAveragePooling1d(),
          ],
        }),
      /Received: /,
    ],
  ])('refuses %s', async (_, make, message) => {
    const model = make();
    const {numTensors} = tf.memory();
    await expect(toKerasFile(model)).rejects.toThrow(message);
    expect(tf.memory().numTensors).toBe(numTensors);
  });

  it('writes what Keras reads from version 3.4 on', async () => {
    const dense = tf.layers.dense({
      ...{units: 6, inputShape: [4]},
      kernelInitializer: 'orthogonal',
    });
    const reshape = tf.layers.reshape({targetShape: [2, -1]});
    const bytes = await toKerasFile(tf.sequential({layers: [dense, reshape]}));
    const members = readZip(bytes, 'test');
    const config = tf.util.decodeString(members.get('config.json') as never);
    // Keras 3.3 knows the long name alone, and some later versions no null in the shape.
    expect(config).toContain('"class_name":"OrthogonalInitializer"');
    expect(config).toContain('"target_shape":[2,-1]');
    // Before 3.6, it needs the group of the model's own weights.
    const weights = readHdf5(members.get('model.weights.h5') as never, 'test');
    expect(weights.groups.has('vars')).toBe(true);
  });

  it('writes `synchronized` where it is asked for', async () => {
    const model = one(batchNorm());
    const written = async (...options: object[]): Promise<string> =>
      JSON.stringify(configIn(await toKerasFile(model, ...options)));
    expect(await written()).toContain('"synchronized":false');
    expect(await written({synchronized: true})).toContain(
      '"synchronized":true',
    );
  });

  it.each([
    [{synchronised: true}, /^toKerasFile: .*synchronised/],
    [{synchronized: 1}, /^toKerasFile: synchronized must be true or false/],
  ])('refuses the options %j', async (options, message) => {
    const writing = toKerasFile(one(batchNorm()), options as object);
    await expect(writing).rejects.toThrow(message);
  });

  it('refuses what is not a model', async () => {
    await expect(toKerasFile(batchNorm() as never)).rejects.toThrow(
      'toKerasFile: the model must be a tf.LayersModel',
    );
  });

  it('warns of what only training would show', async () => {
    const model = tf.sequential({
      layers: [
        batchNorm({inputShape: [4], virtualBatchSize: 2, name: 'first'}),
        rmsNorm({scaleConstraint: 'nonNeg', name: 'second'}),
        tf.layers.dense({units: 2, kernelConstraint: 'maxNorm', name: 'last'}),
      ],
    });
    await toKerasFile(model);
    expect(warnings()).toEqual([
      'toKerasFile: left out, as Keras does not have it; it matters in training: ' +
        'BatchNorm first (virtualBatchSize), RMSNorm second (scaleConstraint)',
      'toKerasFile: Keras applies constraints in training, and tf.js does not: ' +
        'Dense last (kernel_constraint)',
    ]);
  });

  it('writes a layer of a model and one inside it twice, with a warning', async () => {
    const shared = tf.layers.dense({units: 4, name: 'shared'});
    const x = tf.input({shape: [4]});
    const inner = tf.model({inputs: x, outputs: through(shared, x)});
    const z = tf.input({shape: [4]});
    const outputs = through(inner, through(shared, z));
    const model = withRandomWeights(tf.model({inputs: z, outputs}));
    const written = readHdf5(
      readZip(await toKerasFile(model), 'test').get(
        'model.weights.h5',
      ) as never,
      'test',
    );
    expect([...written.datasets.keys()].sort()).toEqual([
      'layers/dense/vars/0',
      'layers/dense/vars/1',
      'layers/functional/layers/dense/vars/0',
      'layers/functional/layers/dense/vars/1',
    ]);
    expect(warnings()).toEqual([
      'toKerasFile: Keras cannot load a layer that several models share; it becomes ' +
        'one layer for each, and they train apart: Dense shared',
    ]);
  });

  it('warns of a model that is shared by models, but not of its layers, nor of inputs', async () => {
    const x = tf.input({shape: [4]});
    const coded = through(tf.layers.dense({units: 4}), x);
    const encoder = tf.model({inputs: x, outputs: coded, name: 'encoder'});
    const both = ['one', 'two'].map((name) => {
      const outputs = through(encoder, x);
      return tf.model({inputs: x, outputs, name});
    });
    const outputs = both.reduce((y, model) => through(model, y), x);
    await toKerasFile(tf.model({inputs: x, outputs}));
    expect(warnings()).toEqual([
      expect.stringMatching(/ train apart: \w+ encoder$/),
    ]);
  });
});

/** A model of up to eight layers, each on any tensors before it. */
const graphs = fc.array(
  fc.record({
    kind: fc.constantFrom('dense', 'norm', 'add', 'again', 'model', 'concat'),
    on: fc.nat(),
    other: fc.nat(),
  }),
  {minLength: 1, maxLength: 8},
);

type Steps = typeof graphs extends fc.Arbitrary<infer T> ? T : never;

function graphOf(steps: Steps): tf.LayersModel {
  const inputs = [tf.input({shape: [3]}), tf.input({shape: [3]})];
  const made = [...inputs];
  const callable: tf.layers.Layer[] = [];
  const dense = (): tf.layers.Layer => tf.layers.dense({units: 3});
  for (const {kind, on, other} of steps) {
    const x = made[on % made.length] as tf.SymbolicTensor;
    const y = made[other % made.length] as tf.SymbolicTensor;
    if (kind === 'add' || kind === 'concat') {
      if (x === y) continue;
      const joined = through(
        kind === 'add' ? tf.layers.add() : tf.layers.concatenate(),
        [x, y],
      );
      made.push(kind === 'add' ? joined : through(dense(), joined));
      continue;
    }
    const inside = tf.input({shape: [3]});
    const layers: Record<string, () => tf.layers.Layer | undefined> = {
      dense,
      norm: () => batchNorm(),
      again: () => callable[other % Math.max(callable.length, 1)],
      model: () =>
        tf.model({
          inputs: inside,
          outputs: through(dense(), through(dense(), inside)),
        }),
    };
    const layer = layers[kind]?.() ?? dense();
    callable.push(layer);
    made.push(through(layer, x));
  }
  const outputs = made.slice(-2);
  return tf.model({inputs, outputs});
}

/** The layers of a functional model in a file, without their calls. */
function layersIn(bytes: Uint8Array): unknown {
  const {config} = configIn(bytes) as {config: {layers: object[]}};
  return config.layers.map((layer) => ({...layer, inbound_nodes: undefined}));
}

describe('any graph', () => {
  it('is the same after a trip through a file', async () => {
    await fc.assert(
      fc.asyncProperty(graphs, async (steps) => {
        const model = withRandomWeights(graphOf(steps));
        const x = inputsFor(model);
        const expected = [model.predict(x)].flat();
        const bytes = await toKerasFile(model);
        const back = await fromKerasFile(bytes);
        [back.predict(x)].flat().forEach((y, i) => {
          const same = expected[i] as tf.Tensor;
          const size = Math.max(1, magnitude(same));
          expectCloseNow(y, same, {what: 'y', roundings: 4, scale: size});
        });
        // tf.js numbers a layer's calls as it makes them, which may be another order than
        // that of the first model: see writeTfjs.
        const second = await toKerasFile(back);
        expect(layersIn(second)).toEqual(layersIn(bytes));
        const third = await toKerasFile(await fromKerasFile(second));
        expect(configIn(third)).toEqual(configIn(second));
        tf.disposeVariables();
      }),
      {numRuns: backend === 'cpu' ? 60 : 10},
    );
  });
});
