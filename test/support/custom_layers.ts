// Layers as applications write them.
import * as tf from '@tensorflow/tfjs';
import {batchNorm, layerNorm} from 'tfjs-normalization';
import {randomTensor} from './tensors.js';

export type Args = ConstructorParameters<typeof tf.layers.Layer>[0];

export const first = (x: tf.Tensor | tf.Tensor[]): tf.Tensor =>
  [x].flat()[0] as tf.Tensor;

/** A constant made in the constructor. */
export class MadeAtOnce extends tf.layers.Layer {
  static readonly className = 'MadeAtOnce';
  readonly constant = tf.ones([4]);
  override call(x: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.add(first(x), this.constant);
  }
}

/** A variable of its own, which is not a weight. */
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

/** A constant made once per class, at the first use. */
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

/**
 * Does not pass on its name, as in tf.js's own example; has a weight of its
 * own.
 */
export class Nameless extends tf.layers.Layer {
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
export abstract class Holder extends tf.layers.Layer {
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

export const ZOO = {
  MadeAtOnce,
  OwnVariable,
  MadeInBuild,
  Cached,
  Nameless,
  InProperty,
  InCollections,
};

export const INNER_NORMS: Record<string, number> = {
  InProperty: 1,
  InCollections: 2,
};

for (const layerClass of Object.values(ZOO)) {
  tf.serialization.registerClass(layerClass);
}

type Made = [string, new () => tf.layers.Layer];

export const KINDS = Object.entries(ZOO) as unknown as Made[];

/**
 * Returns a model with two layers of a kind, one in a nested model, among
 * normalizations.
 */
export function modelWith(
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

export const x = (): tf.Tensor => randomTensor([6, 4], 50);

export const predict = (model: tf.LayersModel): tf.Tensor =>
  model.predict(x()) as tf.Tensor;
