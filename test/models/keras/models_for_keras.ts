import * as tf from '@tensorflow/tfjs';
import {
  batchNorm,
  groupNorm,
  instanceNorm,
  layerNorm,
  normalization,
  rmsNorm,
  spectralNorm,
  unitNorm,
} from 'tfjs-normalization';
import {layersOf} from '../../../src/models/graph/live_model.js';
import {through} from '../../support/models.js';
import {randomTensor} from '../../support/tensors.js';
import {CASES, FLAT, IMAGE, modelOf, rnn, SEQUENCE} from './every_layer.js';

/* Models to write for Keras: one of each layer, and of each structure. */

type Symbolic = tf.SymbolicTensor;
type Layer = tf.layers.Layer;

/** A model's name, and how it is made anew. */
export type Written = readonly [name: string, make: () => tf.LayersModel];

const {layers: L} = tf;

/**
 * Layers of tf.js that Keras 3 lacks or computes otherwise as they are in `CASES`: by the
 * start of their names, a part of the error.
 */
export const REFUSED_LAYERS: Readonly<Record<string, string>> = {
  'activation, 0': 'Keras 3 computes another function',
  convLstm2d: 'Keras 3 computes another function',
  'bidirectional, 0': 'Keras 3 computes another function',
  depthwiseConv2d: 'Keras has no such dilation_rate',
  lstm: 'Keras 3 computes another function',
  'rnn, 0': 'Keras 3 computes another function',
  'rnn, 1': 'Keras 3 computes another function',
  randomWidth: 'Keras 3 has no such layer',
  thresholdedReLU: 'Keras 3 has no such layer',
  upSampling2d: 'Keras has no such interpolation',
};

const sigmoid = {recurrentActivation: 'sigmoid'} as const;
const lstmCell = (): Layer => L.lstmCell({units: 2, ...sigmoid});
const gruCell = (): Layer => L.gruCell({units: 3, ...sigmoid});
const FILMS = [3, 5, 5, 2];

/** Layers that tf.js cannot predict with as they are in `CASES`. */
const UNUSABLE: readonly string[] = ['resizing', 'softmax, 0', 'softmax, 1'];

/** Layers that are refused as `CASES` has them, in another form, and this package's. */
const MORE: ReadonlyArray<readonly [string, number[], () => Layer]> = [
  [
    'lstm',
    SEQUENCE,
    () => L.lstm({units: 2, ...sigmoid, returnSequences: true, dropout: 0.5}),
  ],
  [
    'gru, backwards',
    SEQUENCE,
    () => L.gru({units: 2, ...sigmoid, goBackwards: true}),
  ],
  [
    'convLstm2d',
    FILMS,
    () => L.convLstm2d({filters: 2, kernelSize: 2, ...sigmoid}),
  ],
  [
    'bidirectional lstm',
    SEQUENCE,
    () =>
      L.bidirectional({
        layer: L.lstm({units: 2, ...sigmoid, returnSequences: true}),
        mergeMode: 'concat',
      }),
  ],
  [
    'bidirectional gru',
    SEQUENCE,
    () =>
      L.bidirectional({
        layer: L.gru({units: 2, ...sigmoid}),
        mergeMode: 'ave',
      }),
  ],
  ['rnn of a cell', SEQUENCE, () => rnn(lstmCell())],
  ['rnn of cells', SEQUENCE, () => rnn(gruCell(), lstmCell(), lstmCell())],
  [
    'bidirectional of simple cells',
    SEQUENCE,
    () =>
      L.bidirectional({
        layer: L.simpleRNN({units: 3, useBias: false}),
        mergeMode: 'mul',
      }),
  ],
  [
    'depthwiseConv2d',
    IMAGE,
    () => L.depthwiseConv2d({kernelSize: 2, depthMultiplier: 2}),
  ],
  ['upSampling2d', IMAGE, () => L.upSampling2d({size: [2, 3]})],
  [
    'dense with objects',
    FLAT,
    () =>
      L.dense({
        units: 3,
        activation: 'swish',
        kernelInitializer: 'leCunNormal',
        biasInitializer: tf.initializers.constant({value: 2}),
        kernelRegularizer: tf.regularizers.l2({l2: 0.5}),
        biasRegularizer: tf.regularizers.l1({l1: 0.25}),
        kernelConstraint: tf.constraints.minMaxNorm({minValue: 0.5}),
        biasConstraint: 'nonNeg',
      }),
  ],
  ['softmax', FLAT, () => L.softmax()],
  ['batchNorm', IMAGE, () => batchNorm({momentum: 0.5, epsilon: 0.01})],
  ['batchNorm, axis 1', IMAGE, () => batchNorm({axis: 1, scale: false})],
  ['batchNorm, a list', IMAGE, () => batchNorm({axis: [3], center: false})],
  [
    'batchNorm, frozen',
    FLAT,
    () => batchNorm({trainable: false, gammaRegularizer: 'l2'}),
  ],
  [
    'batchNorm with renorm',
    IMAGE,
    () =>
      batchNorm({
        ...{renorm: true, renormMomentum: 0.5, scale: false},
        renormClipping: {rmin: 0.5, rmax: 2, dmax: 1.5},
      }),
  ],
  ['batchNorm with renorm alone', FLAT, () => batchNorm({renorm: true})],
  ['layerNorm', SEQUENCE, () => layerNorm({betaConstraint: 'maxNorm'})],
  ['layerNorm, axes', IMAGE, () => layerNorm({axis: [1, 3], scale: false})],
  ['groupNorm', [4, 4, 6], () => groupNorm({groups: 3})],
  ['groupNorm, axis 1', [6, 4, 4], () => groupNorm({groups: 2, axis: 1})],
  ['groupNorm, one each', SEQUENCE, () => groupNorm({groups: -1})],
  ['instanceNorm', IMAGE, () => instanceNorm({epsilon: 0.1})],
  ['rmsNorm', SEQUENCE, () => rmsNorm()],
  ['rmsNorm, axes', IMAGE, () => rmsNorm({axis: [2, 3]})],
  ['unitNorm', SEQUENCE, () => unitNorm({axis: [1, 2]})],
  ['normalization', FLAT, () => normalization()],
  ['normalization, axis 1', SEQUENCE, () => normalization({axis: 1})],
  [
    'normalization, no axis',
    FLAT,
    () => normalization({axis: null, invert: true}),
  ],
  [
    'normalization, given',
    FLAT,
    () => normalization({mean: [1, 2, 3, 4], variance: [4, 3, 2, 1]}),
  ],
  [
    'spectralNorm of dense',
    FLAT,
    () => spectralNorm({layer: L.dense({units: 3}), powerIterations: 2}),
  ],
  [
    'spectralNorm, normalized',
    FLAT,
    () => spectralNorm({layer: L.dense({units: 3}), kernelIsNormalized: true}),
  ],
  [
    'spectralNorm of conv2d',
    IMAGE,
    () => spectralNorm({layer: L.conv2d({filters: 2, kernelSize: 2})}),
  ],
  [
    'timeDistributed batchNorm',
    SEQUENCE,
    () => L.timeDistributed({layer: batchNorm()}),
  ],
];

const start = (x: Symbolic): Symbolic => through(L.dense({units: 4}), x);

/** Structures, with several layers of one class in each order. */
const STRUCTURES: readonly Written[] = [
  [
    'sequential',
    (): tf.LayersModel =>
      tf.sequential({
        layers: [
          L.conv2d({filters: 3, kernelSize: 2, inputShape: IMAGE}),
          batchNorm(),
          L.reLU(),
          L.conv2d({filters: 2, kernelSize: 1}),
          L.batchNormalization(),
          L.globalAveragePooling2d({}),
          L.dense({units: 2, activation: 'softmax'}),
        ],
      }),
  ],
  [
    'sequential with an input layer',
    () =>
      tf.sequential({
        layers: [
          L.inputLayer({inputShape: [4], name: 'begin'}),
          L.dense({units: 3}),
          L.dense({units: 2}),
        ],
      }),
  ],
  [
    'sequential of twelve of a class',
    () =>
      tf.sequential({
        layers: Array.from({length: 12}, (_, i) =>
          L.dense({units: 3, ...(i === 0 && {inputShape: [3]})}),
        ),
      }),
  ],
  [
    'sequential in sequential',
    () =>
      tf.sequential({
        layers: [
          tf.sequential({
            layers: [L.dense({units: 3, inputShape: [4]}), batchNorm()],
          }),
          tf.sequential({layers: [L.dense({units: 2, inputShape: [3]})]}),
          L.dense({units: 2}),
        ],
      }),
  ],
  [
    'functional in sequential',
    () => {
      const x = tf.input({shape: [4]});
      const inner = tf.model({
        inputs: x,
        outputs: through(L.add(), [start(x), start(x)]),
      });
      return tf.sequential({layers: [inner, batchNorm()]});
    },
  ],
  [
    'branches of one class',
    () => {
      const x = tf.input({shape: [4]});
      const [a, b, c] = [start(x), start(x), start(x)] as const;
      const deep = start(start(b));
      const outputs = through(L.concatenate(), [c, deep, a]);
      return tf.model({inputs: x, outputs: start(outputs)});
    },
  ],
  [
    'branches that end apart',
    () => {
      const x = tf.input({shape: [4]});
      const [a, b] = [start(x), start(x)];
      return tf.model({inputs: x, outputs: [start(start(b)), a, start(b)]});
    },
  ],
  [
    'a residual connection',
    () => {
      const x = tf.input({shape: IMAGE});
      const conv = (): Layer =>
        L.conv2d({filters: 3, kernelSize: 3, padding: 'same'});
      const h = through(batchNorm(), through(conv(), x));
      const y = through(batchNorm(), through(conv(), through(L.reLU(), h)));
      return tf.model({inputs: x, outputs: through(L.add(), [y, x])});
    },
  ],
  [
    'a shared layer',
    () => {
      const inputs = [tf.input({shape: [4]}), tf.input({shape: [4]})];
      const shared = L.dense({units: 3});
      const ys = inputs.map((x) => through(shared, x));
      return tf.model({inputs, outputs: through(L.multiply(), ys)});
    },
  ],
  [
    'a layer on its own output',
    () => {
      const x = tf.input({shape: [4]});
      const shared = L.dense({units: 4, activation: 'tanh'});
      const once = through(shared, x);
      const other = start(once);
      return tf.model({
        inputs: x,
        outputs: through(shared, through(shared, other)),
      });
    },
  ],
  [
    'a shared layer at two depths',
    () => {
      const x = tf.input({shape: [4]});
      const shared = L.dense({units: 4});
      const a = through(shared, x);
      const b = through(shared, start(start(x)));
      return tf.model({inputs: x, outputs: through(L.add(), [a, b])});
    },
  ],
  [
    'inputs in another order',
    () => {
      const a = tf.input({shape: [4], name: 'zz'});
      const b = tf.input({shape: [3], name: 'aa'});
      const h = through(L.dense({units: 2}), b);
      const outputs = through(L.concatenate(), [h, start(a)]);
      return tf.model({inputs: [a, b], outputs});
    },
  ],
  [
    'several outputs of one layer',
    () => {
      const x = tf.input({shape: SEQUENCE});
      const outputs = L.lstm({units: 2, ...sigmoid, returnState: true}).apply(
        x,
      ) as Symbolic[];
      return tf.model({inputs: x, outputs});
    },
  ],
  [
    'initial states',
    () => {
      const x = tf.input({shape: SEQUENCE});
      const s = tf.input({shape: [2]});
      const outputs = L.gru({units: 2, ...sigmoid}).apply([x, s]) as Symbolic;
      return tf.model({inputs: [x, s], outputs});
    },
  ],
  [
    'states of one for another',
    () => {
      const x = tf.input({shape: SEQUENCE});
      const [, h, c] = L.lstm({units: 3, ...sigmoid, returnState: true}).apply(
        x,
      ) as [Symbolic, Symbolic, Symbolic];
      const outputs = L.lstm({units: 3, ...sigmoid}).apply(x, {
        initialState: [h, c],
      }) as Symbolic;
      return tf.model({inputs: x, outputs});
    },
  ],
  [
    'a nested model',
    () => {
      const inner = innerModel();
      const x = tf.input({shape: [4]});
      return tf.model({inputs: x, outputs: start(through(inner, start(x)))});
    },
  ],
  [
    'a nested model used twice',
    () => {
      const inner = innerModel();
      const x = tf.input({shape: [4]});
      const once = through(inner, x);
      const outputs = through(L.add(), [once, through(inner, start(once))]);
      return tf.model({inputs: x, outputs: start(outputs)});
    },
  ],
  [
    'a nested model whose second use is an output',
    () => {
      const inner = innerModel();
      const x = tf.input({shape: [4]});
      const once = through(inner, x);
      return tf.model({inputs: x, outputs: [through(inner, once), once]});
    },
  ],
  [
    'a nested sequential model used twice as outputs',
    () => {
      const inner = tf.sequential({
        layers: [L.dense({units: 4, inputShape: [4]}), batchNorm()],
      });
      const x = tf.input({shape: [4]});
      const once = through(inner, x);
      return tf.model({inputs: x, outputs: [once, through(inner, once)]});
    },
  ],
  [
    'a nested model of several inputs and outputs',
    () => {
      const [a, b] = [tf.input({shape: [4]}), tf.input({shape: [4]})];
      const inner = tf.model({
        inputs: [a, b],
        outputs: [through(L.add(), [start(a), b]), start(b)],
      });
      const x = tf.input({shape: [4]});
      const [u, v] = inner.apply([x, start(x)]) as [Symbolic, Symbolic];
      return tf.model({inputs: x, outputs: through(L.concatenate(), [v, u])});
    },
  ],
  [
    'models within models within models',
    () => {
      const wrap = (inner: tf.LayersModel): tf.LayersModel => {
        const x = tf.input({shape: [4]});
        return tf.model({inputs: x, outputs: start(through(inner, start(x)))});
      };
      return wrap(wrap(wrap(innerModel())));
    },
  ],
  [
    'equal layer names in two models',
    () => {
      const inner = (): tf.LayersModel =>
        tf.sequential({
          layers: [L.dense({units: 4, inputShape: [4]}), batchNorm()],
        });
      const x = tf.input({shape: [4]});
      const y = through(inner(), through(inner(), x));
      return tf.model({inputs: x, outputs: y});
    },
  ],
  [
    'a model in timeDistributed',
    () => {
      const inner = tf.sequential({
        layers: [L.dense({units: 3, inputShape: [4]}), batchNorm()],
      });
      return tf.sequential({
        layers: [L.timeDistributed({layer: inner, inputShape: SEQUENCE})],
      });
    },
  ],
  [
    'embeddings',
    () =>
      tf.sequential({
        layers: [
          L.embedding({inputDim: 9, outputDim: 3, inputLength: 4}),
          L.flatten(),
          L.dense({units: 2}),
        ],
      }),
  ],
  [
    'a mask for an lstm',
    () =>
      tf.sequential({
        layers: [
          L.masking({maskValue: 0, inputShape: SEQUENCE}),
          L.lstm({units: 3, ...sigmoid}),
        ],
      }),
  ],
  [
    'names with slashes',
    () =>
      tf.sequential({
        name: 'a/model',
        layers: [
          L.dense({units: 3, inputShape: [4], name: 'a/b'}),
          L.dense({units: 2, name: 'a_b'}),
        ],
      }),
  ],
  [
    'statistics of the batch',
    () => {
      const x = tf.input({shape: [4]});
      const y = through(batchNorm({statistics: 'batch'}), start(x));
      return tf.model({
        inputs: x,
        outputs: through(batchNorm({statistics: 'moving'}), y),
      });
    },
  ],
  [
    'frozen models',
    () => {
      const inner = tf.sequential({
        layers: [L.dense({units: 4, inputShape: [4]}), batchNorm()],
      });
      inner.trainable = false;
      const x = tf.input({shape: [4]});
      return tf.model({inputs: x, outputs: start(through(inner, x))});
    },
  ],
  [
    'a fixed batch and state',
    () =>
      tf.sequential({
        layers: [
          L.gru({
            ...{units: 2, ...sigmoid, stateful: true},
            batchInputShape: [2, ...SEQUENCE],
          }),
        ],
      }),
  ],
  [
    'an unused input',
    () => {
      const [a, b] = [tf.input({shape: [4]}), tf.input({shape: [2]})];
      return tf.model({inputs: [a, b], outputs: start(a)});
    },
  ],
  [
    'an input as an output',
    () => {
      const x = tf.input({shape: [4]});
      return tf.model({inputs: x, outputs: [start(x), x]});
    },
  ],
  [
    'options that Keras lacks',
    () =>
      tf.sequential({
        layers: [
          batchNorm({
            ...{inputShape: [4], virtualBatchSize: 2},
            unbiasedMovingVariance: true,
          }),
          batchNorm({movingAverage: 'cumulative'}),
          L.dense({units: 2, kernelInitializer: 'leCunUniform'}),
        ],
      }),
  ],
];

function innerModel(): tf.LayersModel {
  const x = tf.input({shape: [4]});
  return tf.model({
    inputs: x,
    outputs: through(batchNorm(), start(start(x))),
  });
}

/** Every model, in a fixed order. */
export const MODELS: readonly Written[] = [
  ...CASES.filter(([name]) => !isRefused(name) && !UNUSABLE.includes(name)).map(
    ([name, kind, make]): Written => [name, () => modelOf(kind, make)],
  ),
  ...MORE.map(([name, shape, make]): Written => [
    `${name} for Keras`,
    () => modelOf([shape], make),
  ]),
  ...STRUCTURES,
];

/** If true, Keras cannot have the model of this name in `CASES`. */
export function isRefused(name: string): boolean {
  return Object.keys(REFUSED_LAYERS).some((begin) => name.startsWith(begin));
}

/** Gives a model weights that are the same each time, positive where they must be. */
export function withRandomWeights(model: tf.LayersModel): tf.LayersModel {
  let seed = 0;
  for (const {layer} of layersOf(model)) {
    layer.weights.forEach((weight) => {
      const {shape, dtype, originalName} = weight;
      seed += 1;
      const values = tf.mul(randomTensor(shape as number[], seed), 0.5);
      const isPositive = /variance|stddev|count|num_batches/.test(originalName);
      const fit = isPositive ? tf.add(tf.abs(values), 0.5) : values;
      weight.write(tf.cast(fit, dtype));
    });
  }
  return model;
}
