import {tidy, util} from '@tensorflow/tfjs-core';
import type {layers, LayerVariable, Shape} from '@tensorflow/tfjs-layers';
import {BatchNorm} from '../../../layers/batch_norm.js';
import {
  type BatchNormState,
  callBatchNorm,
} from '../../layer_support/batch_norm_call.js';
import {MovingAverage} from '../../layer_support/moving_average.js';
import {
  inputSpecOf,
  lengthsOf,
  onlyInput,
  onlyShape,
} from '../../layer_support/norm_layer.js';
import {
  hasParameter,
  stockParametersOf,
} from '../../layer_support/description.js';
import type {
  Constraint,
  Initializer,
  Regularizer,
} from '../../layer_support/objects.js';
import {applyWatched, ownMask} from '../../layer_support/own_mask.js';
import {projectOnRead} from '../../layer_support/projected_weight.js';
import {warnOnce} from '../../util/warnings.js';
import {resolveAxes} from '../../ops/axes.js';
import type {
  LayerMethods,
  StockBatchNormalization,
  StockLayerNormalization,
} from './stock_layers.js';
import {refusal} from '../../util/received.js';
import {normalizeExamples} from '../../ops/example_norm.js';

type Stock = StockBatchNormalization;

/**
 * The moving averages of stock layers that were built or called while patched.
 */
const averages = new WeakMap<Stock, MovingAverage>();

/** The weights whose constraint is applied by this package. */
const constrained = new WeakSet<LayerVariable>();

/**
 * Returns the methods of tf.js's BatchNormalization while it is patched.
 *
 * @param stock The stock methods.
 * @param isPatched Tells if it is still patched.
 */
export function patchedBatchNormalization(
  stock: LayerMethods<Stock>,
  isPatched: () => boolean,
): LayerMethods<Stock> {
  const hold = (
    weight: LayerVariable | null | undefined,
    constraint: Constraint | null,
  ): void => {
    if (!weight || !constraint || constrained.has(weight)) return;
    constrained.add(weight);
    projectOnRead(weight, constraint, isPatched);
  };

  return {
    build(inputShape) {
      const shape = onlyShape(inputShape);
      if (lacksLength(this.axis, shape)) refuseAsStock(this, stock, inputShape);
      const axes = resolveAxes(this.axis, shape.length, nameOf(this));
      const lengths = lengthsOf(axes, shape, nameOf(this));
      this.inputSpec = [inputSpecOf(shape, axes)];
      addWeights(this, lengths);
      this.built = true;
      averages.set(this, averageOver(this, false));
    },

    call(inputs, kwargs) {
      return tidy(() => {
        const x = onlyInput(inputs);
        hold(this.gamma, this.gammaConstraint);
        hold(this.beta, this.betaConstraint);
        return callBatchNorm(x, stockState(this, x.rank), {
          training: Boolean(kwargs.training),
          mask: ownMask(asLayer(this), x, kwargs.mask, nameOf(this)),
        });
      });
    },

    apply(inputs, kwargs) {
      return applyWatched(asLayer(this), inputs, () =>
        stock.apply.call(this, inputs, kwargs),
      );
    },
  };
}

/** Returns the parts of a built stock layer, for this package's computation. */
export function stockState(layer: Stock, rank: number): BatchNormState {
  const {epsilon, momentum, gamma, beta, trainable} = layer;
  return {
    axes: resolveAxes(layer.axis, rank, nameOf(layer)),
    epsilon,
    momentum,
    mode: 'auto',
    gamma,
    beta,
    trainable,
    average: averageOf(layer),
    warnOnce: (topic, message) =>
      warnOnce(layer, nameOf(layer), topic, message),
  };
}

/** Tells if stock finds no length on its axis, and so refuses to be built. */
function lacksLength(axis: unknown, shape: Shape): boolean {
  if (typeof axis !== 'number') return false;
  return shape[axis >= 0 ? axis : axis + shape.length] == null;
}

/** @throws Error with stock's ValueError, after the layer's name. */
function refuseAsStock(
  layer: Stock,
  stock: LayerMethods<Stock>,
  inputShape: Shape | Shape[],
): void {
  try {
    stock.build.call(layer, inputShape);
  } catch (error) {
    if (error instanceof Error) {
      error.message = `${nameOf(layer)}: ${error.message}`;
    }
    throw error;
  }
}

/** Adds a BatchNorm's weights, which stock keeps in fields named after their options. */
function addWeights(layer: Stock, lengths: number[]): void {
  const fields = layer as unknown as Record<string, unknown>;
  for (const each of stockParametersOf(BatchNorm.description)) {
    const {name, option, learns = false} = each;
    if (option === undefined || !hasParameter(each, layer)) continue;
    fields[option] = layer.addWeight(
      name,
      lengths,
      null,
      fields[`${option}Initializer`] as Initializer,
      learns ? (fields[`${option}Regularizer`] as Regularizer | null) : null,
      learns,
      learns ? (fields[`${option}Constraint`] as Constraint | null) : null,
    );
  }
}

/** A layer built before the patch may have been trained before it. */
function averageOf(layer: Stock): MovingAverage {
  const known = averages.get(layer);
  if (known !== undefined) return known;
  const average = averageOver(layer, true);
  averages.set(layer, average);
  return average;
}

function averageOver(layer: Stock, pastStart: boolean): MovingAverage {
  return new MovingAverage(
    {mean: layer.movingMean, variance: layer.movingVariance},
    {kind: 'exponential', momentum: layer.momentum, unbiased: false},
    pastStart,
  );
}

/** The types differ only in hidden members. */
function asLayer(layer: Stock): layers.Layer {
  return layer as unknown as layers.Layer;
}

function nameOf(layer: Stock): string {
  return `BatchNormalization ${layer.name}`;
}

/**
 * Returns the methods of tf.js's LayerNormalization while it is patched.
 *
 * @param stock The stock methods.
 */
export function patchedLayerNormalization(
  stock: LayerMethods<StockLayerNormalization>,
): Partial<LayerMethods<StockLayerNormalization>> {
  return {
    build(inputShape) {
      // Stock writes to the array, which is the user's.
      if (typeof this.axis !== 'number') this.axis = [...this.axis];
      stock.build.call(this, inputShape);
    },

    call(inputs) {
      return tidy(() => {
        const x = onlyInput(inputs);
        const who = `LayerNormalization ${this.name}`;
        const axes = resolveAxes(this.axis, x.rank, who);
        checkLengths(who, x.shape, axes, this.gamma ?? this.beta);
        // gamma and beta are read in the order of the tensor's axes, whatever
        // the order of the `axis` option: as in stock and Keras.
        return normalizeExamples(x, {
          axes,
          epsilon: this.epsilon,
          gamma: this.gamma?.read(),
          beta: this.beta?.read(),
        });
      });
    },
  };
}

/** Stock has no inputSpec to refuse inputs of other lengths. */
function checkLengths(
  who: string,
  shape: readonly number[],
  axes: readonly number[],
  parameter: LayerVariable | null | undefined,
): void {
  if (!parameter) return;
  const built = parameter.shape as number[];
  const lengths = shape.filter((_, axis) => axes.includes(axis));
  if (util.sizeFromShape(lengths) === util.sizeFromShape(built)) return;
  throw refusal(
    who,
    'the layer was built for normalized axes of lengths ' +
      `[${built.join(', ')}]`,
    'inputShape',
    shape,
  );
}
