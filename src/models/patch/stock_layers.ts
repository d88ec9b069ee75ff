import type {Tensor} from '@tensorflow/tfjs-core';
import {layers, type LayerVariable, type Shape} from '@tensorflow/tfjs-layers';
import type {
  ApplyInput,
  ApplyOutput,
  CallOptions,
} from '../../layer_support/norm_layer.js';
import type {
  Constraint,
  Initializer,
  Regularizer,
} from '../../layer_support/objects.js';
import type {Axes} from '../../ops/axes.js';

/*
 * tf.js's own normalization layers, as far as they are used here. Its types
 * hide most of the fields, which have never changed since the layers were
 * written.
 */

/** The members that both stock layers have. */
export interface StockLayer extends Omit<layers.Layer, 'addWeight'> {
  axis: Axes;
  readonly epsilon: number;
  readonly center: boolean;
  readonly scale: boolean;
  readonly betaInitializer: Initializer;
  readonly gammaInitializer: Initializer;
  readonly betaRegularizer: Regularizer | null;
  readonly gammaRegularizer: Regularizer | null;
  gamma?: LayerVariable | null;
  beta?: LayerVariable | null;
  addWeight(
    name: string,
    shape: Shape,
    dtype: string | null,
    initializer: Initializer,
    regularizer: Regularizer | null,
    trainable: boolean,
    constraint: Constraint | null,
  ): LayerVariable;
}

/** `tf.layers.batchNormalization` */
export interface StockBatchNormalization extends StockLayer {
  readonly momentum: number;
  readonly movingMeanInitializer: Initializer;
  readonly movingVarianceInitializer: Initializer;
  readonly betaConstraint: Constraint | null;
  readonly gammaConstraint: Constraint | null;
  movingMean: LayerVariable;
  movingVariance: LayerVariable;
}

/** `tf.layers.layerNormalization` */
export type StockLayerNormalization = StockLayer;

/** The methods that a patch replaces. */
export interface LayerMethods<T> {
  apply: (this: T, inputs: ApplyInput, kwargs?: CallOptions) => ApplyOutput;
  build: (this: T, inputShape: Shape | Shape[]) => void;
  call: (this: T, inputs: Tensor | Tensor[], kwargs: CallOptions) => Tensor;
}

/** Tells if a layer is tf.js's own batch normalization, not another of its name. */
export function isStockBatchNormalization(
  layer: layers.Layer,
): layer is layers.Layer & StockBatchNormalization {
  return layer.constructor === stockClasses().BatchNormalization;
}

/** Tells if a layer is tf.js's own layer normalization, not another of its name. */
export function isStockLayerNormalization(
  layer: layers.Layer,
): layer is layers.Layer & StockLayerNormalization {
  return layer.constructor === stockClasses().LayerNormalization;
}

let classes: Record<string, unknown> | undefined;

/**
 * Returns tf.js's own normalization classes by name, which it does not export.
 */
export function stockClasses(): Readonly<Record<string, unknown>> {
  // Names of their own, so that they do not take one meant for a user's layer.
  const name = 'to_be_recognized';
  classes ??= {
    BatchNormalization: layers.batchNormalization({name}).constructor,
    LayerNormalization: layers.layerNormalization({name}).constructor,
  };
  return classes;
}
