import * as tf from '@tensorflow/tfjs';
import {randomTensor} from '../../support/tensors.js';

/* A model of each layer that tf.js has. */

export const FLAT = [4];
export const SEQUENCE = [5, 4];
export const IMAGE = [6, 5, 3];
const VOLUME = [4, 4, 4, 2];
const FILMS = [3, 5, 5, 2];

export type Make = () => tf.layers.Layer;
export type Kind = readonly [shape: number[], ...makers: Make[]];

const {layers: L} = tf;
export const cell = (): tf.layers.Layer => L.lstmCell({units: 2});
export const rnn = (...cells: tf.layers.Layer[]): tf.layers.Layer =>
  L.rnn({
    cell: (cells.length > 1 ? cells : cells[0]) as never,
    returnSequences: true,
  });
const conv = {filters: 2, kernelSize: 2};
const merge = (make: Make): Kind => [SEQUENCE, make];

/** Each layer of tf.js by the name of its factory, with a valid input shape. */
const LAYERS: Readonly<Record<string, Kind>> = {
  activation: [
    SEQUENCE,
    () => L.activation({activation: 'hardSigmoid'}),
    () => L.activation({activation: 'swish'}),
  ],
  add: merge(() => L.add()),
  alphaDropout: [FLAT, () => L.alphaDropout({rate: 0.5})],
  average: merge(() => L.average()),
  averagePooling1d: [SEQUENCE, () => L.averagePooling1d({poolSize: 2})],
  averagePooling2d: [
    IMAGE,
    () => L.averagePooling2d({poolSize: 2, padding: 'same'}),
  ],
  averagePooling3d: [VOLUME, () => L.averagePooling3d({poolSize: [2, 2, 2]})],
  batchNormalization: [
    IMAGE,
    () => L.batchNormalization({momentum: 0.5, scale: false}),
  ],
  bidirectional: [
    SEQUENCE,
    () =>
      L.bidirectional({
        layer: L.lstm({units: 2, returnSequences: true}),
        mergeMode: 'sum',
      }),
    () =>
      L.bidirectional({
        layer: L.simpleRNN({units: 2}),
        mergeMode: 'concat',
      }),
  ],
  categoryEncoding: [
    FLAT,
    () => L.categoryEncoding({numTokens: 9, outputMode: 'multiHot'}),
  ],
  centerCrop: [IMAGE, () => L.centerCrop({height: 4, width: 3})],
  concatenate: merge(() => L.concatenate({axis: 1})),
  conv1d: [
    SEQUENCE,
    () => L.conv1d({...conv, dilationRate: 2, activation: 'relu6'}),
  ],
  conv2d: [
    IMAGE,
    () => L.conv2d({...conv, kernelInitializer: 'heNormal'}),
    () => L.conv2d({...conv, dataFormat: 'channelsFirst'}),
  ],
  conv2dTranspose: [IMAGE, () => L.conv2dTranspose({...conv, strides: 2})],
  conv3d: [VOLUME, () => L.conv3d({...conv, padding: 'same'})],
  conv3dTranspose: [VOLUME, () => L.conv3dTranspose(conv)],
  convLstm2d: [FILMS, () => L.convLstm2d({...conv, returnSequences: true})],
  cropping2D: [IMAGE, () => L.cropping2D({cropping: 1})],
  dense: [
    SEQUENCE,
    () =>
      L.dense({
        units: 3,
        kernelConstraint: 'maxNorm',
        kernelRegularizer: 'l1l2',
      }),
  ],
  depthwiseConv2d: [
    IMAGE,
    () => L.depthwiseConv2d({kernelSize: 2, dilationRate: 2}),
  ],
  dot: merge(() => L.dot({axes: 2})),
  dropout: [FLAT, () => L.dropout({rate: 0.5})],
  elu: [FLAT, () => L.elu()],
  embedding: [FLAT, () => L.embedding({inputDim: 9, outputDim: 2})],
  flatten: [IMAGE, () => L.flatten({dataFormat: 'channelsFirst'})],
  gaussianDropout: [FLAT, () => L.gaussianDropout({rate: 0.5})],
  gaussianNoise: [FLAT, () => L.gaussianNoise({stddev: 1})],
  globalAveragePooling1d: [SEQUENCE, () => L.globalAveragePooling1d()],
  globalAveragePooling2d: [IMAGE, () => L.globalAveragePooling2d({})],
  globalMaxPooling1d: [SEQUENCE, () => L.globalMaxPooling1d()],
  globalMaxPooling2d: [IMAGE, () => L.globalMaxPooling2d({})],
  gru: [SEQUENCE, () => L.gru({units: 2, recurrentActivation: 'sigmoid'})],
  layerNormalization: [IMAGE, () => L.layerNormalization({axis: [2, 3]})],
  leakyReLU: [FLAT, () => L.leakyReLU({alpha: 0.5})],
  lstm: [SEQUENCE, () => L.lstm({units: 2, dropout: 0.5, implementation: 1})],
  masking: [SEQUENCE, () => L.masking({maskValue: 1})],
  maxPooling1d: [SEQUENCE, () => L.maxPooling1d({poolSize: 2})],
  maxPooling2d: [IMAGE, () => L.maxPooling2d({poolSize: [2, 1]})],
  maxPooling3d: [VOLUME, () => L.maxPooling3d({poolSize: 2})],
  maximum: merge(() => L.maximum()),
  minimum: merge(() => L.minimum()),
  multiply: merge(() => L.multiply()),
  permute: [IMAGE, () => L.permute({dims: [3, 1, 2]})],
  prelu: [IMAGE, () => L.prelu({sharedAxes: [1, 2]})],
  randomWidth: [IMAGE, () => L.randomWidth({factor: 0.5})],
  reLU: [FLAT, () => L.reLU({maxValue: 1})],
  repeatVector: [FLAT, () => L.repeatVector({n: 3})],
  rescaling: [IMAGE, () => L.rescaling({scale: 2, offset: 1})],
  reshape: [SEQUENCE, () => L.reshape({targetShape: [2, -1]})],
  resizing: [IMAGE, () => L.resizing({height: 3, width: 3})],
  rnn: [
    SEQUENCE,
    () => rnn(cell()),
    () => rnn(L.gruCell({units: 2}), cell(), cell()),
    () => rnn(L.simpleRNNCell({units: 3})),
  ],
  separableConv2d: [IMAGE, () => L.separableConv2d(conv)],
  simpleRNN: [SEQUENCE, () => L.simpleRNN({units: 2, goBackwards: true})],
  softmax: [SEQUENCE, () => L.softmax(), () => L.softmax({axis: 1})],
  spatialDropout1d: [SEQUENCE, () => L.spatialDropout1d({rate: 0.5})],
  thresholdedReLU: [FLAT, () => L.thresholdedReLU({theta: 0.5})],
  timeDistributed: [
    SEQUENCE,
    () => L.timeDistributed({layer: L.dense({units: 2})}),
    () => L.timeDistributed({layer: L.batchNormalization()}),
  ],
  upSampling2d: [
    IMAGE,
    () => L.upSampling2d({size: [2, 2], interpolation: 'bilinear'}),
  ],
  zeroPadding2d: [IMAGE, () => L.zeroPadding2d({padding: [1, 2]})],
};

/** The names of their factories. */
export const FACTORIES: readonly string[] = Object.keys(LAYERS);

/** Aliases, cells (tested above), and factories other than layers. */
export const OTHERS = [
  'Layer',
  'RNN',
  'RNNCell',
  'avgPool1d',
  'avgPool2d',
  'avgPool3d',
  'avgPooling1d',
  'avgPooling2d',
  'avgPooling3d',
  'convLstm2dCell',
  'globalMaxPool1d',
  'globalMaxPool2d',
  'gruCell',
  'input',
  'inputLayer',
  'lstmCell',
  'maxPool1d',
  'maxPool2d',
  'simpleRNNCell',
  'stackedRNNCells',
];

/**
 * Returns a model of one layer, with an input for each tensor that a merge
 * takes.
 */
export function modelOf(kind: Kind, make: Make): tf.LayersModel {
  const [shape] = kind;
  const layer = make();
  const inputs = [tf.input({shape})];
  if (
    /^(Add|Average|Concat|Dot|Max|Min|Mult)[a-z]*$/.test(layer.getClassName())
  )
    inputs.push(tf.input({shape}));
  const given = inputs.length > 1 ? inputs : inputs[0];
  const outputs = layer.apply(given as tf.SymbolicTensor);
  return tf.model({inputs, outputs: outputs as tf.SymbolicTensor});
}

export function inputsFor(model: tf.LayersModel): tf.Tensor[] {
  const isNamed = /Embedding|Encoding/.test(
    model.layers.map((layer) => layer.getClassName()).join(),
  );
  return model.inputs.map(({shape}, i) => {
    const x = randomTensor([2, ...(shape.slice(1) as number[])], i);
    return isNamed ? tf.round(tf.abs(x)) : x;
  });
}

/** Returns undefined if tf.js itself cannot predict with the layer. */
export function predicted(model: tf.LayersModel): tf.Tensor | undefined {
  try {
    return model.predict(inputsFor(model)) as tf.Tensor;
  } catch {
    return undefined;
  }
}

/** The name, the shape of the input and the layer of each. */
export const CASES = Object.entries(LAYERS).flatMap(([name, kind]) => {
  const [, ...makers] = kind;
  return makers.map((make, i): [string, Kind, Make] => [
    makers.length > 1 ? `${name}, ${i}` : name,
    kind,
    make,
  ]);
});
