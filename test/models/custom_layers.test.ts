// Every tool for models beside layers that users have written.
import * as tf from '@tensorflow/tfjs';
import {
  batchNorm,
  convertModel,
  foldBatchNorm,
  freezeBatchNorm,
  inspect,
  layerNorm,
  patchStockLayers,
  recalibrate,
  register,
  setStatistics,
  unfreezeBatchNorm,
} from 'tfjs-normalization';
import {REBUILDING} from '../support/rebuilding.js';
import {difference, randomTensor} from '../support/tensors.js';
import {warnings} from '../support/warnings.js';

type Args = ConstructorParameters<typeof tf.layers.Layer>[0];

const first = (x: tf.Tensor | tf.Tensor[]): tf.Tensor =>
  [x].flat()[0] as tf.Tensor;

/** A constant made in the constructor. */
class MadeAtOnce extends tf.layers.Layer {
  static readonly className = 'MadeAtOnce';
  readonly constant = tf.ones([4]);
  override call(x: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.add(first(x), this.constant);
  }
}

/** A variable of its own, which is no weight. */
class OwnVariable extends tf.layers.Layer {
  static readonly className = 'OwnVariable';
  readonly constant = tf.variable(tf.ones([4]), false);
  override call(x: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.add(first(x), this.constant);
  }
}

/** A constant made in build. */
class MadeInBuild extends tf.layers.Layer {
  static readonly className = 'MadeInBuild';
  private constant: tf.Tensor | undefined;
  override build(shape: tf.Shape | tf.Shape[]): void {
    this.constant = tf.fill([4], 2);
    super.build(shape);
  }
  override call(x: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.mul(first(x), this.constant as tf.Tensor);
  }
}

/** A constant that the class makes once, whoever needs it first. */
class Cached extends tf.layers.Layer {
  static readonly className = 'Cached';
  static cache: tf.Tensor | undefined;
  constructor(args?: Args) {
    super(args ?? {});
    Cached.cache ??= tf.fill([4], 3);
  }
  override call(x: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.add(first(x), Cached.cache as tf.Tensor);
  }
}

/** As in tf.js's own example, the name is not passed on; and a weight of its own. */
class Nameless extends tf.layers.Layer {
  static readonly className = 'Nameless';
  private gate: tf.LayerVariable | undefined;
  constructor() {
    super({});
  }
  override build(shape: tf.Shape | tf.Shape[]): void {
    this.gate = this.addWeight('gate', [4], 'float32', tf.initializers.ones());
    super.build(shape);
  }
  override call(x: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.mul(first(x), (this.gate as tf.LayerVariable).read());
  }
}

/** Layers inside, in a property, a list, a map or an object. */
abstract class Holder extends tf.layers.Layer {
  /** tf.js's own list, which its types hide. */
  private get nonTrainable(): tf.LayerVariable[] {
    return (this as unknown as {_nonTrainableWeights: tf.LayerVariable[]})
      ._nonTrainableWeights;
  }
  abstract held(): tf.layers.Layer[];
  override build(shape: tf.Shape | tf.Shape[]): void {
    for (const layer of this.held()) {
      layer.build(shape);
      layer.built = true;
      this._trainableWeights.push(...layer.trainableWeights);
      this.nonTrainable.push(...layer.nonTrainableWeights);
    }
    super.build(shape);
  }
  override call(
    x: tf.Tensor | tf.Tensor[],
    {training}: {training?: boolean},
  ): tf.Tensor {
    return this.held().reduce(
      (y, layer) => layer.apply(y, {training: training ?? false}) as tf.Tensor,
      first(x),
    );
  }
}
class InProperty extends Holder {
  static readonly className = 'InProperty';
  readonly inner = batchNorm({momentum: 0.5});
  held(): tf.layers.Layer[] {
    return [this.inner];
  }
}
class InCollections extends Holder {
  static readonly className = 'InCollections';
  readonly list = [batchNorm({momentum: 0.5})];
  readonly map = new Map([['norm', layerNorm()]]);
  readonly object = {deeper: {norm: batchNorm({momentum: 0.5})}};
  held(): tf.layers.Layer[] {
    return [...this.list, ...this.map.values(), this.object.deeper.norm];
  }
}

const ZOO = {
  MadeAtOnce,
  OwnVariable,
  MadeInBuild,
  Cached,
  Nameless,
  InProperty,
  InCollections,
};
const INNER_NORMS: Record<string, number> = {InProperty: 1, InCollections: 2};

for (const layerClass of Object.values(ZOO)) {
  tf.serialization.registerClass(layerClass);
}

type Made = [string, new () => tf.layers.Layer];
const KINDS = Object.entries(ZOO) as unknown as Made[];

/** Two of a kind, one of them in a nested model, around normalizations. */
function modelWith(
  Kind: new () => tf.layers.Layer,
  stock = false,
): tf.LayersModel {
  const norm = (): tf.layers.Layer =>
    stock ? tf.layers.batchNormalization() : batchNorm();
  const inner = tf.sequential({
    layers: [tf.layers.dense({units: 4, inputShape: [4]}), norm(), new Kind()],
  });
  const model = tf.sequential({
    layers: [
      tf.layers.dense({units: 4, inputShape: [4]}),
      norm(),
      new Kind(),
      inner,
      stock ? tf.layers.layerNormalization() : layerNorm(),
    ],
  });
  model.setWeights(
    model.getWeights().map((w, i) => tf.abs(randomTensor(w.shape, i + 1, 1))),
  );
  model.setUserDefinedMetadata({author: 'somebody'});
  return model;
}

const x = (): tf.Tensor => randomTensor([6, 4], 50);
const predict = (model: tf.LayersModel): tf.Tensor =>
  model.predict(x()) as tf.Tensor;

describe.each(KINDS)('F3, F4, F6: beside %s', (name, Kind) => {
  // In files, tf.js loses the weights of a layer that does not pass on its name, and
  // refuses two weights of one name.
  const isForFiles = name !== 'Nameless' && name !== 'InCollections';
  const tools = Object.keys(REBUILDING).filter(
    (tool) => isForFiles || !/fromKeras|toStock/.test(tool),
  );

  it.each(tools)(
    '%s predicts the same, and leaves the model alone',
    async (tool) => {
      for (const stock of tool === 'convertModel to stock'
        ? [false]
        : [true, false]) {
        const model = modelWith(Kind, stock);
        const expected = predict(model);
        const other = (await REBUILDING[tool]?.(model)) as tf.LayersModel;
        expect(difference(predict(other), expected)).toBeLessThan(1e-5);
        expect(difference(predict(model), expected)).toBe(0);
        // Not the fault of what was made first that there is a second.
        const again = (await REBUILDING[tool]?.(model)) as tf.LayersModel;
        expect(difference(predict(again), expected)).toBeLessThan(1e-5);
        if (!/fromKeras|toStock/.test(tool)) {
          expect(other.getUserDefinedMetadata()).toEqual({author: 'somebody'});
        }
      }
    },
  );

  it('freezing, statistics, recalibration and inspection find every layer', async () => {
    const model = modelWith(Kind);
    const inner = INNER_NORMS[name] ?? 0;
    const norms = 2 + 2 * inner;
    const layers = name === 'InCollections' ? 3 : 1;
    expect(await inspect(model)).toHaveLength(norms + layers);
    expect(setStatistics(model, 'batch')).toBe(norms);
    const batch = predict(model);
    expect(setStatistics(model, 'auto')).toBe(norms);
    expect(difference(predict(model), batch)).toBeGreaterThan(1e-3);
    await recalibrate(model, x(), {exact: true});
    expect(difference(predict(model), batch)).toBeLessThan(1e-4);
    expect(freezeBatchNorm(model)).toBe(norms);
    const frozen = predict(model);
    const trained = model.apply(x(), {training: true}) as tf.Tensor;
    expect(difference(trained, frozen)).toBeLessThan(1e-6);
    expect(difference(predict(model), frozen)).toBe(0);
    expect(unfreezeBatchNorm(model)).toBe(norms);
  });

  it('a patch changes no prediction', () => {
    const model = modelWith(Kind, true);
    const expected = predict(model);
    const unpatch = patchStockLayers();
    const patched = predict(model);
    unpatch();
    expect(difference(patched, expected)).toBeLessThan(1e-5);
    expect(difference(predict(model), expected)).toBe(0);
  });
});

describe('F4: a layer that does not pass on its name', () => {
  it('is no reason for foldBatchNorm to leave anything behind', () => {
    const model = modelWith(Nameless);
    const before = tf.memory().numTensors;
    const folded = foldBatchNorm(model, {onReport: () => undefined});
    // tf.js's dispose leaves those of nested models.
    tf.dispose(folded.weights.map((weight) => weight.read()));
    expect(tf.memory().numTensors).toBe(before);
  });
});

/** A layer whose config does not say how many weights it has. */
class Forgetful extends tf.layers.Layer {
  static readonly className = 'Forgetful';
  constructor(private readonly args: Args & {count?: number} = {}) {
    super(args);
  }
  override build(shape: tf.Shape | tf.Shape[]): void {
    for (let i = 0; i < (this.args.count ?? 1); i++) {
      this.addWeight(`w${i}`, [4], 'float32', tf.initializers.ones());
    }
    super.build(shape);
  }
  override call(x: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.add(first(x), 1);
  }
}
tf.serialization.registerClass(Forgetful);

describe('F4: a layer that its config does not make again', () => {
  it.each(['convertModel to ours', 'convertModel to stock', 'foldBatchNorm'])(
    'is named by %s, which leaves nothing behind',
    async (tool) => {
      const model = tf.sequential({
        layers: [
          tf.layers.dense({units: 4, inputShape: [4]}),
          new Forgetful({name: 'forgetful', count: 3}),
          batchNorm(),
        ],
      });
      const expected = predict(model);
      const before = tf.memory().numTensors;
      await expect(REBUILDING[tool]?.(model)).rejects.toThrow(
        /^(convertModel|foldBatchNorm): .*[Ff]orgetful.* weights.*Received: weights=/,
      );
      expect(tf.memory().numTensors).toBe(before);
      expect(difference(predict(model), expected)).toBe(0);
    },
  );
});

/** A normalization where nobody outside can look. */
class Private extends Holder {
  static readonly className = 'Private';
  readonly #inner = batchNorm();
  held(): tf.layers.Layer[] {
    return [this.#inner];
  }
}

tf.serialization.registerClass(Private);

describe('F6: a normalization that cannot be found', () => {
  const layer = (): tf.LayersModel =>
    tf.sequential({
      layers: [batchNorm({inputShape: [4]}), new Private({name: 'private'})],
    });

  it.each<[string, (model: tf.LayersModel) => unknown]>([
    ['freezeBatchNorm', (model) => freezeBatchNorm(model)],
    ['setStatistics', (model) => setStatistics(model, 'batch')],
    ['recalibrate', (model) => recalibrate(model, x())],
    ['inspect', (model) => inspect(model)],
    [
      'foldBatchNorm',
      (model) => foldBatchNorm(model, {onReport: () => undefined}),
    ],
  ])('is told by %s, naming the layer', async (name, tool) => {
    await tool(layer());
    expect(warnings()).toEqual([
      `${name}: these layers have moving statistics, but no normalization was ` +
        'found in them; keep it in a property: Private private',
    ]);
  });
});

describe("F5: where the application's class has taken a name", () => {
  class BatchNormOfTheirs extends tf.layers.Layer {
    static readonly className = 'BatchNorm';
  }
  class LayerNormOfTheirs extends tf.layers.Layer {
    static readonly className = 'LayerNorm';
    override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
      return tf.mul(first(inputs), 2);
    }
  }

  const take = (): void => {
    tf.serialization.registerClass(BatchNormOfTheirs);
    tf.serialization.registerClass(LayerNormOfTheirs);
  };
  afterEach(() => {
    register({override: true});
  });

  it.each(Object.keys(REBUILDING))(
    '%s refuses to build that instead of ours',
    async (tool) => {
      const model = modelWith(MadeAtOnce);
      // The last layer is not folded, and is built again.
      take();
      const before = tf.memory().numTensors;
      const run = async (): Promise<tf.LayersModel | undefined> =>
        REBUILDING[tool]?.(model);
      await expect(run())
        .rejects.toThrow(
          tool === 'convertModel to stock' ? '' : 'register({override: true})',
        )
        .catch((error: unknown) => {
          // Nothing of this package's is built there.
          if (tool !== 'convertModel to stock') throw error;
        });
      expect(tf.memory().numTensors - before).toBeLessThanOrEqual(20);
    },
  );

  it('of tf.js, a model on layers of this package is not converted to it', async () => {
    class Theirs extends tf.layers.Layer {
      static readonly className = 'BatchNormalization';
    }
    const stock = tf.layers.batchNormalization({name: 'stock'}).constructor;
    const model = tf.sequential({layers: [batchNorm({inputShape: [4]})]});
    tf.serialization.registerClass(Theirs);
    try {
      for (const tool of ['convertModel to stock', 'toStock']) {
        await expect(REBUILDING[tool]?.(model)).rejects.toThrow(
          "another class has taken tf.js's name BatchNormalization",
        );
      }
    } finally {
      tf.serialization.registerClass(stock as never);
    }
  });

  it('or removed it, nothing is built', async () => {
    const {classNameMap} = tf.serialization.SerializationMap.getMap();
    const model = tf.sequential({
      layers: [tf.layers.batchNormalization({inputShape: [4]})],
    });
    Reflect.deleteProperty(classNameMap, 'BatchNorm');
    await expect(convertModel(model, {to: 'normalization'})).rejects.toThrow(
      'Received: BatchNorm=no class',
    );
  });

  it('their layers stay as they are', async () => {
    take();
    const model = tf.sequential({
      layers: [
        tf.layers.dense({units: 4, inputShape: [4]}),
        new LayerNormOfTheirs({}),
      ],
    });
    const expected = predict(model);
    for (const tool of [
      'convertModel to stock',
      'convertModel to ours',
      'foldBatchNorm',
    ]) {
      const other = (await REBUILDING[tool]?.(model)) as tf.LayersModel;
      expect(other.layers[1]).toBeInstanceOf(LayerNormOfTheirs);
      expect(difference(predict(other), expected)).toBe(0);
    }
    expect(await inspect(model)).toEqual([]);
    expect(setStatistics(model, 'batch')).toBe(0);
  });
});
