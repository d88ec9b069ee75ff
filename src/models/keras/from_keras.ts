import type {io} from '@tensorflow/tfjs-core';
import {refuseOptions} from '../../layer_support/options.js';
import {keepRegistered} from '../../layer_support/registration.js';
import {FAMILY} from '../../../layers/family.js';
import {loaderOf} from '../handlers.js';
import {matchWeights} from './weights/match_weights.js';
import {Notes} from '../../util/warnings.js';
import {type KerasFile, readTopology} from './read/read_model.js';
import {
  bytesOfAll,
  readStored,
  type StoredWeight,
} from './weights/stored_weights.js';
import {translateModel} from './translate/translate_model.js';
import {type GraphModel, modelsIn} from '../graph/graph.js';
import {tryTraining, withClosedReshapes, withTrial} from '../graph/trial.js';
import {writeTfjs} from '../graph/tfjs_json.js';
import {tfjsKeysOf} from './translate/layer_rules.js';
import {
  type Match,
  targetsOf,
  whySharedIsMissing,
} from './weights/weight_targets.js';
import type {layers, LayersModel} from '@tensorflow/tfjs-layers';
import {layersOf} from '../graph/live_model.js';
import {refusal} from '../../util/received.js';

const WHO = 'fromKeras';

/** Missing weights up to this size are named, instead of failing while they are made. */
const SPARE = 2 ** 20;

/**
 * Loads a model.json from Keras 2 (tf-keras), Keras 3 or tf.js onto the layers
 * of this package:
 *
 * ```js
 * const trained = tf.sequential();
 * trained.add(tf.layers.batchNormalization({inputShape: [3]}));
 * let written;
 * await trained.save(tf.io.withSaveHandler(async (artifacts) => {
 *   written = artifacts;
 *   return {};
 * }));
 * const model = await tf.loadLayersModel(fromKeras(tf.io.fromMemory(written)));
 * console.log(model.layers[0].getClassName());  // BatchNorm
 * ```
 *
 * Keras's BatchNormalization and LayerNormalization become `BatchNorm` and
 * `LayerNorm`; each of their options is honoured, or refused by name. A
 * `training` argument in the call of such a layer, or of a model around it,
 * becomes `statistics`: `'batch'` for true, `'moving'` for false. For other
 * layers it is refused if it would change a prediction. Anything that tf.js's
 * own layers would compute differently from Keras is translated, or refused by
 * name.
 *
 * Nothing is half loaded: a trial build checks that tf.js can build the model
 * and that the weights fit, before the model is given to tf.js.
 *
 * @param source A URL, as `tf.loadLayersModel` takes it, or an IOHandler.
 * @return An IOHandler for `tf.loadLayersModel`.
 * @throws Error if nothing loads from the source. Loading rejects with an error
 *   that names the layer and the option that cannot be loaded, or the weight
 *   that is missing, left over or of another shape.
 */
export function fromKeras(
  source: string | io.IOHandler,
  ...none: []
): io.IOHandler {
  refuseOptions(none, WHO);
  // A file may have layers that the program does not name.
  keepRegistered(FAMILY);
  const load = loaderOf(source, WHO);
  return {load: async () => translateFile(await load(), WHO)};
}

/**
 * Translates the artifacts of a file of Keras or tf.js into those that tf.js loads, after
 * a trial.
 *
 * @param who The first word of an error or a warning.
 * @throws Error naming the layer, the option or the weight that cannot be loaded.
 */
export async function translateFile(
  artifacts: io.ModelArtifacts,
  who: string,
): Promise<io.ModelArtifacts> {
  const {weightData, trainingConfig} = artifacts;
  const notes = new Notes(who);
  const file = readTopology(artifacts.modelTopology, who);
  const hasWeights = weightData !== undefined;
  const translated = translateModel(file, {hasWeights, notes});
  const stored = hasWeights ? readStored(artifacts, who) : undefined;
  const {graph, matches} = await tryOut(translated, file, stored, {
    trainingConfig,
    notes,
    who,
  });
  notes.warn();
  const weights = matches && weightData && renamed(matches, artifacts, who);
  return {...artifacts, modelTopology: writeTfjs(graph), ...weights};
}

/**
 * Matches the file's weights to the model's, after checking that all of it can
 * be loaded.
 *
 * @returns The matches, and the model with what the trial has found out.
 */
function tryOut(
  graph: GraphModel,
  {model, isFromTfjs}: KerasFile,
  stored: readonly StoredWeight[] | undefined,
  {
    trainingConfig,
    notes,
    who,
  }: Pick<io.ModelArtifacts, 'trainingConfig'> & {
    notes: Notes;
    who: string;
  },
): Promise<{graph: GraphModel; matches: Match[] | undefined}> {
  const ofModel = stored?.filter(({spec}) => spec.group !== 'optimizer');
  const inFile = ofModel?.reduce((sum, {size}) => sum + size, 0) ?? Infinity;
  const values = inFile + SPARE;
  const tooFew = whySharedIsMissing(model);
  const options = {who, keysOf: tfjsKeysOf, values, tooFew};
  return withTrial(graph, options, (trial) => {
    if (!isFromTfjs) checkBuilt(trial, model, notes);
    const matches =
      ofModel &&
      matchWeights(ofModel, targetsOf(model, trial), model, {who, tooFew});
    if (trainingConfig) tryTraining(trial, trainingConfig, who);
    return {graph: withClosedReshapes(graph, trial), matches};
  });
}

/** Gives the weights the names and shapes that tf.js expects. */
function renamed(
  matches: readonly Match[],
  artifacts: io.ModelArtifacts,
  who: string,
): Pick<io.ModelArtifacts, 'weightSpecs' | 'weightData'> {
  const {weightData = [], trainingConfig} = artifacts;
  const ofOptimizer = trainingConfig
    ? readStored(artifacts, who).filter(({spec}) => spec.group === 'optimizer')
    : [];
  const all = [...matches.map(({stored}) => stored), ...ofOptimizer];
  return {
    weightSpecs: [
      ...matches.map(({stored: {spec}, target: {name, shape}}) => ({
        ...spec,
        name,
        shape: [...shape],
      })),
      ...ofOptimizer.map(({spec}) => spec),
    ],
    weightData: bytesOfAll(all, weightData),
  };
}

/** tf.js has no gradient of these if the second axis has a single step. */
const RECURRENT: readonly string[] = [
  'Bidirectional',
  'ConvLSTM2D',
  'GRU',
  'LSTM',
  'RNN',
  'SimpleRNN',
  'TimeDistributed',
];

/**
 * Checks what is known only once a model is built, and would otherwise fail at
 * the first prediction.
 *
 * @param model The model as the file describes it.
 * @param notes Collects the layers that tf.js cannot train.
 * @throws Error naming the layer.
 */
export function checkBuilt(
  trial: LayersModel,
  model: GraphModel,
  notes: Notes,
): void {
  const operations = new Set(
    modelsIn(model).flatMap(({layers: inner}) =>
      inner.filter(({isOperation}) => isOperation).map(({newName}) => newName),
    ),
  );
  for (const {layer} of layersOf(trial)) {
    if (operations.has(layer.name)) checkRanks(layer);
    if (layer.getClassName() === 'Softmax') checkSoftmax(layer);
    noteTraining(layer, notes);
  }
}

/** Notes the layers of tf.js 4.22 that have no gradient. */
function noteTraining(layer: layers.Layer, notes: Notes): void {
  const className = layer.getClassName();
  const who = `${className} ${layer.name}`;
  const {dilationRate} = layer.getConfig();
  const isDilated = [dilationRate].flat().some((rate) => Number(rate) > 1);
  if (isDilated || className === 'Conv3DTranspose') {
    notes.add('tf.js predicts with it and cannot train it', who);
  }
  const isDeadEnd = layer.inboundNodes.some(
    ({inboundLayers, inputShapes: [shape]}) =>
      inboundLayers.some((each) => each.getClassName() !== 'InputLayer') &&
      (className === 'Masking' ||
        (RECURRENT.includes(className) &&
          Array.isArray(shape) &&
          shape[1] === 1)),
  );
  if (!isDeadEnd) return;
  const topic = 'tf.js predicts with it and cannot train what comes before it';
  notes.add(topic, who);
}

function checkSoftmax(layer: layers.Layer): void {
  const axis = layer.getConfig().axis as number;
  for (const {inputShapes} of layer.inboundNodes) {
    const [shape] = inputShapes;
    const rank = Array.isArray(shape) ? shape.length : 0;
    if (axis === -1 || axis === rank - 1) continue;
    const what = 'tf.js has softmax only over the last axis';
    throw refusal(`Softmax ${layer.name}`, what, 'axis', axis);
  }
}

/** Keras 2 files do not hold the shapes of an operation's inputs. */
function checkRanks(layer: layers.Layer): void {
  for (const {inputShapes} of layer.inboundNodes) {
    const ranks = inputShapes.map((shape) =>
      Array.isArray(shape) ? shape.length : undefined,
    );
    if (new Set(ranks).size <= 1) continue;
    const what = 'tf.js merges only tensors of the same rank';
    const who = `${layer.getClassName()} ${layer.name}`;
    throw refusal(who, what, 'shapes', inputShapes);
  }
}
