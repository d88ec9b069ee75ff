/** The runs of the program: a network each, and what normalizes it. */
export const NORMS = ['none', 'batch', 'layer', 'none-relu'] as const;

export type Norm = (typeof NORMS)[number];

/** The runs as the table, the chart and the sentence call them. */
export const NAMES: Readonly<Record<Norm, string>> = {
  none: 'No normalization',
  batch: 'BatchNorm',
  layer: 'LayerNorm',
  'none-relu': 'No normalization, ReLU',
};

/** How BatchNorm averages statistics, as it calls that. */
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
