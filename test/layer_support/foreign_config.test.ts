import {BatchNorm, batchNorm} from 'tfjs-normalization';

describe('fromConfig', () => {
  // The config of keras.layers.BatchNormalization, Keras 3.15.
  const KERAS = {
    name: 'bn',
    trainable: true,
    dtype: {className: 'DTypePolicy', config: {name: 'float32'}},
    axis: -1,
    momentum: 0.99,
    epsilon: 0.001,
    center: true,
    scale: true,
    betaInitializer: {
      module: 'keras.initializers',
      className: 'Zeros',
      config: {},
      registeredName: null,
    },
    gammaInitializer: {
      module: 'keras.initializers',
      className: 'Ones',
      config: {},
      registeredName: null,
    },
    movingMeanInitializer: {className: 'Zeros', config: {}},
    movingVarianceInitializer: {className: 'Ones', config: {}},
    betaRegularizer: null,
    gammaRegularizer: null,
    betaConstraint: null,
    gammaConstraint: null,
    synchronized: false,
    renorm: false,
    renormClipping: null,
    renormMomentum: 0.99,
    customObjects: {},
  };

  it('drops options that have no effect here', () => {
    const layer = BatchNorm.fromConfig(BatchNorm, KERAS);
    expect(layer.getConfig()).toEqual(batchNorm({name: 'bn'}).getConfig());
    const old = {
      fused: true,
      virtualBatchSize: null,
      adjustment: null,
      dtype: 'float32',
    };
    const loaded = BatchNorm.fromConfig(BatchNorm, {...old, name: 'old'});
    expect(loaded.getConfig().name).toBe('old');
  });

  it('keeps the options of renorm with renorm, and drops them without', () => {
    const given = {renormClipping: {rmax: 3}, renormMomentum: 0.5};
    const load = (renorm: boolean): object =>
      BatchNorm.fromConfig(BatchNorm, {...KERAS, ...given, renorm}).getConfig();
    expect(load(true)).toEqual(
      batchNorm({name: 'bn', renorm: true, ...given}).getConfig(),
    );
    expect(load(false)).toEqual(batchNorm({name: 'bn'}).getConfig());
  });

  it.each([
    ['synchronized', true],
    ['dtype', 'float16'],
    ['adjustment', {className: 'function'}],
  ])('refuses %s: %j', (key, value) => {
    const load = (): unknown =>
      BatchNorm.fromConfig(BatchNorm, {...KERAS, [key]: value});
    expect(load).toThrow(
      `BatchNorm bn: ${key} with this value is not supported`,
    );
    expect(load).toThrow(`Received: ${key}=${JSON.stringify(value)}`);
  });

  it('refuses a key it does not know', () => {
    expect(() =>
      BatchNorm.fromConfig(BatchNorm, {...KERAS, whitening: 1}),
    ).toThrow('unknown option whitening');
  });

  it('refuses a key that every object has', () => {
    for (const key of ['constructor', '__proto__']) {
      const config = JSON.parse(`{"name": "bn", "${key}": 1}`) as object;
      expect(() => BatchNorm.fromConfig(BatchNorm, {...config})).toThrow(
        `unknown option ${key}`,
      );
    }
  });

  it('keeps the dtype of a model’s input', () => {
    const config = batchNorm({inputShape: [3], dtype: 'int32'}).getConfig();
    expect(config.dtype).toBe('int32');
    expect(BatchNorm.fromConfig(BatchNorm, config).getConfig().dtype).toBe(
      'int32',
    );
  });
});
