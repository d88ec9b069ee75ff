/** The runs of the program: one network each, with its normalization. */
export const NORMS = ['none', 'batch', 'layer', 'none-relu'] as const;

export type Norm = (typeof NORMS)[number];

/** The names of the runs in the table, the chart and the sentence. */
export const NAMES: Readonly<Record<Norm, string>> = {
  none: 'No normalization',
  batch: 'BatchNorm',
  layer: 'LayerNorm',
  'none-relu': 'No normalization, ReLU',
};

/** BatchNorm's `movingAverage` options. */
export const MOVING_AVERAGES = [
  'exponential',
  'debiased',
  'cumulative',
] as const;

export type MovingAverage = (typeof MOVING_AVERAGES)[number];

/** Activation functions to choose from, as tf.layers calls them. */
export const ACTIVATIONS = [
  'sigmoid',
  'tanh',
  'relu',
  'elu',
  'selu',
  'softplus',
  'softsign',
  'swish',
] as const;

export type Activation = (typeof ACTIVATIONS)[number];
