// Tools where a class of the application has taken a class name.
import * as tf from '@tensorflow/tfjs';
import {
  batchNorm,
  convertModel,
  inspect,
  register,
  setStatistics,
} from 'tfjs-normalization';
import {REBUILDING} from '../support/rebuilding.js';
import {difference} from '../support/tensors.js';
import {
  MadeAtOnce,
  first,
  modelWith,
  predict,
} from '../support/custom_layers.js';

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
    '%s refuses to build that class instead of ours',
    async (tool) => {
      const model = modelWith(MadeAtOnce);
      // The last layer is not folded but rebuilt.
      take();
      const before = tf.memory().numTensors;
      const run = async (): Promise<tf.LayersModel | undefined> =>
        REBUILDING[tool]?.(model);
      await expect(run())
        .rejects.toThrow(
          tool === 'convertModel to stock' ? '' : 'register({override: true})',
        )
        .catch((error: unknown) => {
          // No layer of this package is built there.
          if (tool !== 'convertModel to stock') throw error;
        });
      expect(tf.memory().numTensors - before).toBeLessThanOrEqual(20);
    },
  );

  it('of tf.js, a model of this package is not converted to it', async () => {
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

  it('or removed a name, nothing is built', async () => {
    const {classNameMap} = tf.serialization.SerializationMap.getMap();
    const model = tf.sequential({
      layers: [tf.layers.batchNormalization({inputShape: [4]})],
    });
    Reflect.deleteProperty(classNameMap, 'BatchNorm');
    await expect(convertModel(model, {to: 'normalization'})).rejects.toThrow(
      'Received: BatchNorm=no class',
    );
  });

  it('its layers stay unchanged', async () => {
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
