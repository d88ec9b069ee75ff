import * as tf from '@tensorflow/tfjs';
import * as normalization from 'tfjs-normalization';
import * as node from 'tfjs-normalization/node';
import {
  batchNorm,
  batchNormDense,
  BatchNorm,
  convertModel,
  foldBatchNorm,
  formatInspection,
  freezeBatchNorm,
  fromKeras,
  inspect,
  layerNorm,
  LayerNorm,
  ops,
  patchStockLayers,
  recalibrate,
  register,
  setStatistics,
  toStock,
  unfreezeBatchNorm,
} from 'tfjs-normalization';
import {fileSystem} from 'tfjs-normalization/node';
import {normsOf} from '../support/models.js';

/** Calls a function with these options, of any type. */
type Call = (options: never) => unknown;

let model: tf.LayersModel;
let before: unknown;

const memory = (): tf.io.IOHandler =>
  tf.io.withSaveHandler(() => Promise.reject(new Error('not to be called')));
const handler = tf.io.fromMemory({modelTopology: {}});
const x = (): tf.Tensor => tf.ones([4, 2]);

/** Functions that take options. */
const TAKING: Readonly<Record<string, Call>> = {
  BatchNorm: (options) => new BatchNorm(options),
  GroupNorm: (options) => new normalization.GroupNorm(options),
  InstanceNorm: (options) => new normalization.InstanceNorm(options),
  LayerNorm: (options) => new LayerNorm(options),
  Normalization: (options) => new normalization.Normalization(options),
  RMSNorm: (options) => new normalization.RMSNorm(options),
  SpectralNorm: (options) => new normalization.SpectralNorm(options),
  UnitNorm: (options) => new normalization.UnitNorm(options),
  groupNorm: (options) => normalization.groupNorm(options),
  instanceNorm: (options) => normalization.instanceNorm(options),
  normalization: (options) => normalization.normalization(options),
  rmsNorm: (options) => normalization.rmsNorm(options),
  spectralNorm: (options) => normalization.spectralNorm(options),
  unitNorm: (options) => normalization.unitNorm(options),
  'layers.groupNorm': (options) => normalization.layers.groupNorm(options),
  'layers.instanceNorm': (options) =>
    normalization.layers.instanceNorm(options),
  'layers.normalization': (options) =>
    normalization.layers.normalization(options),
  'layers.rmsNorm': (options) => normalization.layers.rmsNorm(options),
  'layers.spectralNorm': (options) =>
    normalization.layers.spectralNorm(options),
  'layers.unitNorm': (options) => normalization.layers.unitNorm(options),
  batchNorm: (options) => batchNorm(options),
  layerNorm: (options) => layerNorm(options),
  'layers.batchNorm': (options) => normalization.layers.batchNorm(options),
  'layers.layerNorm': (options) => normalization.layers.layerNorm(options),
  batchNormDense: (options) => batchNormDense(options),
  'layers.batchNormDense': (options) =>
    normalization.layers.batchNormDense(options),
  convertModel: (options) => convertModel(model, options),
  foldBatchNorm: (options) => foldBatchNorm(model, options),
  freezeBatchNorm: (options) => freezeBatchNorm(model, options),
  inspect: (options) => inspect(model, x(), options),
  'ops.batchNorm': (options) => ops.batchNorm(x(), options),
  'ops.groupNorm': (options) => ops.groupNorm(tf.ones([4, 32]), options),
  'ops.instanceNorm': (options) => ops.instanceNorm(x(), options),
  'ops.rmsNorm': (options) => ops.rmsNorm(x(), options),
  'ops.layerNorm': (options) => ops.layerNorm(x(), options),
  recalibrate: (options) => recalibrate(model, x(), options),
  register: (options) => register(options),
  toStock: (options) => toStock(memory(), options),
};

/** Functions that take none. */
const WITHOUT: Readonly<Record<string, Call>> = {
  formatInspection: (options) =>
    formatInspection([], ...([options] as unknown as [])),
  fromKeras: (options) => fromKeras(handler, ...([options] as unknown as [])),
  patchStockLayers: (options) =>
    patchStockLayers(...([options] as unknown as [])),
  setStatistics: (options) =>
    setStatistics(model, 'auto', ...([options] as unknown as [])),
  unfreezeBatchNorm: (options) =>
    unfreezeBatchNorm(model, ...([options] as unknown as [])),
  fileSystem: (options) => fileSystem('a', ...([options] as unknown as [])),
};

/** Returns the error that a call throws, synchronously or later. */
async function errorOf(call: Call, options: unknown): Promise<string> {
  try {
    await call(options as never);
  } catch (error) {
    return String(error);
  }
  return 'nothing was thrown';
}

/**
 * Lists the functions that an entry exports, and those in its exported objects.
 */
function functionsIn(entry: object, prefix = ''): string[] {
  return Object.entries(entry).flatMap(([name, value]: [string, unknown]) => {
    if (typeof value === 'function') return [`${prefix}${name}`];
    return functionsIn(value as object, `${prefix}${name}.`);
  });
}

beforeAll(() => {
  model = tf.sequential({
    layers: [
      tf.layers.dense({units: 2, inputShape: [2]}),
      batchNorm({name: 'norm'}),
    ],
  });
  before = model.getWeights().map((weight) => weight.arraySync());
});

afterEach(() => {
  const [norm] = normsOf(model);
  expect({trainable: norm?.trainable, statistics: norm?.statistics}).toEqual({
    trainable: true,
    statistics: 'auto',
  });
  expect(model.getWeights().map((w) => w.arraySync())).toEqual(before);
});

describe('F10: options of functions', () => {
  it('are tested for every function that the package exports', () => {
    const exported = [...functionsIn(normalization), ...functionsIn(node)];
    const tested = [...Object.keys(TAKING), ...Object.keys(WITHOUT)];
    expect(tested.sort()).toEqual(exported.sort());
  });

  it.each(Object.entries(TAKING))('%s refuses an unknown one', async (_, f) => {
    const call = f;
    for (const name of ['batchsize', 'Exact', 'toString', '__proto_', '']) {
      const error = await errorOf(call, {[name]: 3});
      expect(error).toContain(`unknown option ${name}; its options are `);
      expect(error).toContain(`Received: ${name}=3`);
    }
    const own = JSON.parse('{"__proto__": 3}') as unknown;
    expect(await errorOf(call, own)).toContain('unknown option __proto__');
  });

  it.each(Object.entries(TAKING))('%s takes only an object', async (_, f) => {
    for (const options of [5, 'axis', true, [], [1], () => undefined]) {
      const error = await errorOf(f, options);
      expect(error).toContain('options must be an object');
    }
  });

  it.each(Object.entries(WITHOUT))('%s takes none', async (name, f) => {
    const error = await errorOf(f, {lossy: true});
    expect(error).toBe(
      `Error: ${name}: unknown option lossy; it takes no options. ` +
        `Received: lossy=true`,
    );
  });

  it('of a function without any may be the arguments that map passes', () => {
    expect([model].map(unfreezeBatchNorm as () => number)).toEqual([0]);
  });

  const GATHERING: Array<[string, unknown, string]> = [
    ['batchSize', 'x', 'an integer above 0'],
    ['batchSize', '8', 'an integer above 0'],
    ['batchSize', 0, 'an integer above 0'],
    ['batches', 1.5, 'an integer above 0'],
    ['batches', NaN, 'an integer above 0'],
    ['exact', 1, 'true or false'],
    ['exact', 'no', 'true or false'],
    ['onProgress', {}, 'a function'],
    ['onProgress', true, 'a function'],
    ['signal', new AbortController(), 'an AbortSignal'],
    ['signal', true, 'an AbortSignal'],
  ];

  it.each<[string, string, unknown, string]>([
    ...GATHERING.map((row) => ['recalibrate', ...row] as const),
    ...GATHERING.map((row) => ['inspect', ...row] as const),
    ['foldBatchNorm', 'onReport', 'log', 'a function'],
    ['freezeBatchNorm', 'affine', 'yes', 'true or false'],
    ['register', 'override', 1, 'true or false'],
    ['toStock', 'lossy', 0, 'true or false'],
    ['ops.batchNorm', 'epsilon', '1', 'a number above 0'],
    ['ops.layerNorm', 'axis', '1', 'an integer or an array'],
    ['convertModel', 'to', 'keras', "'normalization' or 'stock'"],
  ] as Array<[string, string, unknown, string]>)(
    '%s refuses %s: %j',
    async (name, option, value, what) => {
      const call = TAKING[name] as Call;
      const error = await errorOf(call, {[option]: value});
      expect(error).toContain(`${name}: ${option} must be ${what}`);
      expect(error).toContain(`Received: ${option}=`);
    },
  );

  it('null stands for the default, as everywhere in tf.js', async () => {
    const options = {batchSize: null, exact: null, signal: null} as never;
    await inspect(model, x(), options);
    expect(freezeBatchNorm(model, {affine: null} as never)).toBe(1);
    unfreezeBatchNorm(model);
  });

  it('null options are refused', async () => {
    for (const name of ['inspect', 'recalibrate', 'toStock', 'register']) {
      const error = await errorOf(TAKING[name] as Call, null);
      expect(error).toContain(`${name}: options must be an object`);
    }
  });

  it.each([batchNorm({name: 'a'}), layerNorm({name: 'a'})])(
    'the options of a layer’s call are checked as well',
    (layer) => {
      expect(() => layer.apply(x(), {trainin: true} as never)).toThrow(
        /Norm a: unknown option trainin; its options are training, mask/,
      );
      expect(() => layer.apply(x(), true as never)).toThrow(
        'Norm a: options must be an object. Received: options=true',
      );
      layer.apply(x(), {training: false, mask: null});
    },
  );
});
