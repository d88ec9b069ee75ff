import * as tf from '@tensorflow/tfjs';
import {batchNorm, layerNorm, patchStockLayers} from 'tfjs-normalization';
import {through} from './models.js';
import {trainsStockLayers} from './stock_training.js';

/*
 * All axes have the same length, so that the mask of the words fits any tensor:
 * only the graph tells which tensor it belongs to.
 */
export const LENGTH = 4;
export const SHAPE = [LENGTH, LENGTH, LENGTH];
export const WORDS = [3, 0, 2, 1, 0, 4, 0, 2, 1, 1, 5, 0, 0, 6, 2, 3];
export const MOMENTUM = 0.5;

export type Symbolic = tf.SymbolicTensor;
export type Layer = tf.layers.Layer;
export type Mask = readonly boolean[] | undefined;

export const MASK = WORDS.map((word) => word !== 0);

/** Sums of up to 16 values, a root, products, and a step of the moving averages. */
export const ROUNDINGS = 16;

const EPSILON = 1e-3;

export const TRAINING = {training: true};

export const OPTIONS = {axis: -1, epsilon: EPSILON};

export const maskOf = (
  values: readonly boolean[] = MASK,
  shape = [LENGTH, LENGTH],
): tf.Tensor => tf.tensor([...values], shape, 'bool');

let seed = 0;
let unpatch: (() => void) | undefined;

beforeEach(() => {
  seed = 0;
  trainsStockLayers();
});

afterEach(() => {
  unpatch?.();
  unpatch = undefined;
});

/** Applies a layer that training does not change: wasm lacks some gradients. */
export function on(layer: Layer, input: Symbolic | Symbolic[]): Symbolic {
  layer.trainable = false;
  return through(layer, input);
}

const random = (): ReturnType<typeof tf.initializers.randomNormal> =>
  tf.initializers.randomNormal({stddev: 1, seed: ++seed});

/** Makes the input of a model. */
export const words = (): Symbolic => tf.input({shape: [LENGTH]});

/** Embeds the words as vectors, by default masked where they are 0. */
export const embedded = (input: Symbolic, maskZero = true): Symbolic =>
  on(
    tf.layers.embedding({
      inputDim: 7,
      outputDim: LENGTH,
      maskZero,
      embeddingsInitializer: random(),
    }),
    input,
  );

/** Masks a sequence with a Masking layer. */
const skipped = (input: Symbolic): Symbolic => {
  const kernelInitializer = random();
  const column = on(tf.layers.reshape({targetShape: [LENGTH, 1]}), input);
  const masked = on(tf.layers.masking({maskValue: 0}), column);
  return on(tf.layers.dense({units: LENGTH, kernelInitializer}), masked);
};

export const dense = (units = LENGTH): Layer =>
  tf.layers.dense({units, kernelInitializer: random()});

const conv = (): Layer =>
  tf.layers.conv1d({
    filters: LENGTH,
    kernelSize: 3,
    padding: 'same',
    kernelInitializer: random(),
  });

const lstm = (returnSequences: boolean): tf.layers.RNN =>
  tf.layers.lstm({
    units: LENGTH,
    returnSequences,
    kernelInitializer: random(),
    recurrentInitializer: random(),
  });

/** Passes on its input, with the mask given by its options. */
class Custom extends tf.layers.Layer {
  static className = 'MaskTestCustom';

  constructor(private readonly handsOn: 'nothing' | 'the mask' | 'the rest') {
    super({});
    this.supportsMasking = true;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.mul([inputs].flat()[0] as tf.Tensor, 2);
  }

  override computeMask(
    _: tf.Tensor | tf.Tensor[],
    mask?: tf.Tensor | tf.Tensor[],
  ): tf.Tensor | tf.Tensor[] {
    const [first] = [mask ?? []].flat();
    if (!first || this.handsOn === 'nothing') return null as never;
    return this.handsOn === 'the mask' ? first : tf.logicalNot(first);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return {...super.getConfig(), handsOn: this.handsOn};
  }
}

/** A model with its batch normalization. */
export interface Built {
  model: tf.LayersModel;
  norm: Layer;
}

/**
 * Builds a model of words, whose last outputs are a layer's input and its
 * output.
 */
export type Build = (norm: Layer) => tf.LayersModel;

export const model = (
  inputs: Symbolic,
  ...outputs: Symbolic[]
): tf.LayersModel => tf.model({inputs, outputs});

const before =
  (hidden: (input: Symbolic) => Symbolic): Build =>
  (norm) => {
    const input = words();
    const x = hidden(input);
    return model(input, x, through(norm, x));
  };

/** Ways in which a model gets its batch normalization. */
export const KINDS: ReadonlyArray<[string, (build: Build) => Built]> = [
  [
    'BatchNorm',
    (build: Build): Built => {
      const norm = batchNorm({momentum: MOMENTUM});
      return {norm, model: build(norm)};
    },
  ],
  [
    'BatchNormalization, patched',
    (build: Build): Built => {
      unpatch = patchStockLayers();
      const norm = tf.layers.batchNormalization({momentum: MOMENTUM});
      return {norm, model: build(norm)};
    },
  ],
  [
    'BatchNormalization, connected before it is patched',
    (build: Build): Built => {
      const norm = tf.layers.batchNormalization({momentum: MOMENTUM});
      const made = build(norm);
      unpatch = patchStockLayers();
      return {norm, model: made};
    },
  ],
  [
    'BatchNormalization, patched again',
    (build: Build): Built => {
      patchStockLayers()();
      const norm = tf.layers.batchNormalization({momentum: MOMENTUM});
      const first = patchStockLayers();
      const made = build(norm);
      first();
      tf.dispose(made.predict(tf.tensor(WORDS, [LENGTH, LENGTH])));
      unpatch = patchStockLayers();
      return {norm, model: made};
    },
  ],
];

/** Graphs in which the mask belongs to another tensor. */
const STALE: ReadonlyArray<[string, Build]> = [
  ['Embedding, Conv1D', before((x) => on(conv(), embedded(x)))],
  ['Masking, Conv1D', before((x) => on(conv(), skipped(x)))],
  [
    'Conv1D, Dense',
    before((x) => on(dense(), on(conv(), on(dense(), embedded(x))))),
  ],
  [
    'Flatten, Dense, Reshape',
    before((x) => {
      const flat = on(tf.layers.flatten(), embedded(x));
      const targetShape = [LENGTH, LENGTH];
      const wide = on(dense(LENGTH ** 2), flat);
      return on(tf.layers.reshape({targetShape}), wide);
    }),
  ],
  [
    'LSTM, RepeatVector',
    before((x) =>
      on(
        tf.layers.repeatVector({n: LENGTH}),
        on(lstm(false), on(dense(), embedded(x))),
      ),
    ),
  ],
  [
    'MaxPooling1D',
    before((x) =>
      on(
        tf.layers.maxPooling1d({poolSize: 2, strides: 1, padding: 'same'}),
        embedded(x),
      ),
    ),
  ],
  [
    'a layer that supports masks and ends them',
    before((x) => on(new Custom('nothing'), embedded(x))),
  ],
  [
    'a second branch without a mask',
    (norm) => {
      const input = words();
      const masked = on(dense(), embedded(input));
      const plain = on(dense(), embedded(input, false));
      return model(input, masked, plain, through(norm, plain));
    },
  ],
  [
    'a nested model around it',
    (norm) => {
      const [input, inner] = [words(), tf.input({shape: [LENGTH, LENGTH]})];
      const x = embedded(input);
      return model(input, x, through(model(inner, through(norm, inner)), x));
    },
  ],
  [
    'a nested model with the Embedding',
    (norm) => {
      const [input, inner] = [words(), words()];
      const x = on(model(inner, embedded(inner)), input);
      return model(input, x, through(norm, x));
    },
  ],
];

/** Graphs in which the mask belongs to the layer's own input. */
const OWN: ReadonlyArray<[string, Build, Mask?]> = [
  ['Embedding', before((x) => embedded(x))],
  ['Masking, Dense', before(skipped)],
  ['Dense', before((x) => on(dense(), embedded(x)))],
  [
    'Dropout',
    before((x) => on(tf.layers.dropout({rate: 0}), on(dense(), embedded(x)))),
  ],
  [
    'Activation',
    before((x) => on(tf.layers.activation({activation: 'tanh'}), embedded(x))),
  ],
  ['LayerNorm', before((x) => on(layerNorm(), embedded(x)))],
  ['BatchNorm', before((x) => on(batchNorm(), embedded(x)))],
  [
    'LayerNormalization',
    before((x) => on(tf.layers.layerNormalization(), embedded(x))),
  ],
  ['LSTM', before((x) => on(lstm(true), embedded(x)))],
  [
    'Bidirectional',
    before((x) =>
      on(
        tf.layers.bidirectional({
          layer: lstm(true),
          mergeMode: 'sum',
        }),
        embedded(x),
      ),
    ),
  ],
  [
    'Add',
    before((x) => on(tf.layers.add(), [embedded(x), on(dense(), embedded(x))])),
  ],
  [
    'Concatenate',
    before((x) =>
      on(
        dense(),
        on(tf.layers.concatenate(), [embedded(x), on(dense(), embedded(x))]),
      ),
    ),
  ],
  [
    'TimeDistributed',
    before((x) => on(tf.layers.timeDistributed({layer: dense()}), embedded(x))),
  ],
  [
    'a layer of its own mask',
    before((x) => on(new Custom('the rest'), embedded(x))),
    MASK.map((flag) => !flag),
  ],
  [
    'a layer that hands it on',
    before((x) => on(dense(), on(new Custom('the mask'), embedded(x)))),
  ],
  [
    'after a stale one',
    before((x) =>
      on(tf.layers.add(), [on(dense(), embedded(x)), on(dense(), embedded(x))]),
    ),
  ],
  [
    'inside a nested model',
    (norm) => {
      const [input, inner] = [words(), words()];
      const embedding = tf.layers.embedding({
        inputDim: 7,
        outputDim: LENGTH,
        maskZero: true,
      });
      const nested = model(inner, through(norm, on(embedding, inner)));
      return model(input, on(embedding, input), through(nested, input));
    },
  ],
];

/** All graphs, each with the mask that counts. */
export const CASES: ReadonlyArray<[string, Build, Mask]> = [
  ...STALE.map(([name, build]): [string, Build, Mask] => [
    `no mask comes by ${name}`,
    build,
    undefined,
  ]),
  ...OWN.map(([name, build, mask = MASK]): [string, Build, Mask] => [
    `the mask comes by ${name}`,
    build,
    mask,
  ]),
];
