import {callSiteTraining, makeNamesUnique} from './names_and_training.js';
import {checkGraph} from '../read/check_graph.js';
import {checkMasks} from './check_masks.js';
import {refusal} from '../../../util/received.js';
import {
  type Call,
  type GraphLayer,
  type GraphModel,
  keyOf,
  modelsIn,
  type TensorRef,
  whoIs,
} from '../../graph/graph.js';
import {ruleFor, standInFor} from './layer_rules.js';
import {normalizationFor} from './normalizations.js';
import {withoutMaskOperations} from './masks.js';
import type {Notes} from '../../../util/warnings.js';
import type {KerasFile} from '../read/read_model.js';
import {
  layersAfter,
  newLayer,
  type Surroundings,
  translateLayer,
} from './translate_layer.js';

/** Operations of Keras 3 that compute what the layers of their names do. */
const OPERATIONS: readonly string[] = [
  'Add',
  'Concatenate',
  'Maximum',
  'Minimum',
  'Multiply',
  'Softmax',
];

/** Operations of Keras 3 that tf.js has as layers, on tensors of one rank. */
const MERGES: readonly string[] = ['Add', 'Multiply', 'Maximum', 'Minimum'];

/**
 * Translates a model of Keras to one of tf.js. Gives its layers their new names.
 *
 * @throws Error naming the layer or option that tf.js does not have.
 */
export function translateModel(
  {model, isKeras3, isFromTfjs}: KerasFile,
  {hasWeights, notes}: {hasWeights: boolean; notes: Notes},
): GraphModel {
  modelsIn(model).forEach(checkGraph);
  modelsIn(model).forEach(checkOperations);
  const renamed = makeNamesUnique(model);
  for (const change of renamed) {
    notes.add('tf.js needs unique, valid layer names; renamed', change);
  }
  // tf.js writes the `training` argument of calls, but never reads it.
  const training = isFromTfjs
    ? new Map<GraphLayer, boolean>()
    : callSiteTraining(model, isKeras3);
  // A file of tf.js's own keeps tf.js's masks.
  if (!isFromTfjs) checkMasks(model, {isKeras3, training}, notes);
  return inTfjs(model, {isKeras3, isFromTfjs, hasWeights, notes, training});
}

/** Refuses operations that share only the name of a layer. */
function checkOperations({layers}: GraphModel): void {
  for (const layer of layers) {
    const {className, isOfOps = false} = layer;
    if (!isOfOps || OPERATIONS.includes(className)) continue;
    if (!ruleFor(className) && !normalizationFor(className)) continue;
    const what = 'tf.js has the layer of this name, not the operation';
    throw refusal(whoIs(layer), what, 'class_name', className);
  }
}

function inTfjs(model: GraphModel, around: Surroundings): GraphModel {
  const given = model.isSequential ? model : withoutMaskOperations(model);
  const changed = model.isSequential
    ? sequentialLayers(given, around)
    : functionalModel(given, around);
  return {...given, ...changed, config: {name: model.newName}};
}

/** Returns what a layer becomes: one layer, or several in a row. */
function stepsOf(
  layer: GraphLayer,
  around: Surroundings,
): [GraphLayer, ...GraphLayer[]] {
  if (layer.model) return [{...layer, model: inTfjs(layer.model, around)}];
  const translated = translateLayer(layer, around, (inner) =>
    wrappedLayer(inner, around),
  );
  return [{...layer, ...translated}, ...layersAfter(layer)];
}

function wrappedLayer(layer: GraphLayer, around: Surroundings): GraphLayer {
  const [first, ...then] = stepsOf(layer, around);
  if (then.length === 0) return first;
  const what =
    'tf.js needs several layers for it, and a wrapper can hold only one';
  throw refusal(whoIs(layer), what, 'config', layer.config);
}

function sequentialLayers(
  model: GraphModel,
  around: Surroundings,
): Pick<GraphModel, 'layers'> {
  const layers = model.layers.flatMap((layer) => stepsOf(layer, around));
  return {layers: [...inputOf(model, layers), ...layers]};
}

/**
 * Returns the input that a sequential model was built with and does not list.
 */
function inputOf(
  {newName, inputShape}: GraphModel,
  [first]: readonly GraphLayer[],
): GraphLayer[] {
  const isThere =
    first?.className === 'InputLayer' ||
    first?.config.batch_input_shape !== undefined ||
    first?.model !== undefined;
  if (isThere || inputShape === undefined) return [];
  const config = {
    batch_input_shape: inputShape,
    dtype: 'float32',
    sparse: false,
  };
  return [newLayer('InputLayer', config, `${newName}_input`)];
}

function functionalModel(
  model: GraphModel,
  around: Surroundings,
): Pick<GraphModel, 'layers' | 'inputs' | 'outputs'> {
  const {isFromTfjs} = around;
  const steps = new Map(
    model.layers.map((layer) => [layer, stepsOf(layer, around)]),
  );
  // The output of a layer is that of its last step.
  const makers = new Map(
    [...steps].map(([{name}, list]) => [name, list[list.length - 1]?.name]),
  );
  const made = (ref: TensorRef): TensorRef => ({
    ...ref,
    layer: makers.get(ref.layer) ?? ref.layer,
  });
  const layers = [...steps].flatMap(([layer, [first, ...then]]) => {
    const {name, calls} = layer;
    const called = calls.map((call) => {
      if (!isFromTfjs) checkArguments(layer, call);
      const constants = isFromTfjs ? call.constants : {};
      return callOn(call.inputs.map(made), constants);
    });
    const rest = then.map((next, i) => {
      const before = then[i - 1]?.name ?? name;
      const on = (call: number): Call =>
        callOn([{layer: before, call, output: 0}]);
      return {...next, calls: calls.map((_, call) => on(call))};
    });
    return [{...first, calls: called}, ...rest];
  });
  return {
    layers: isFromTfjs ? layers : withDistinctInputs(layers),
    inputs: model.inputs.map(made),
    outputs: model.outputs.map(made),
  };
}

/**
 * Puts a layer between a tensor and a call that takes it twice. tf.js counts
 * such a call as two of the tensor's users, and disposes the tensor before its
 * last user has run.
 */
function withDistinctInputs(layers: readonly GraphLayer[]): GraphLayer[] {
  const added: GraphLayer[] = [];
  const distinct = (call: Call, {newName}: GraphLayer): Call => {
    const seen = new Set<string>();
    const inputs = call.inputs.map((ref) => {
      const key = keyOf(ref);
      if (!seen.has(key)) {
        seen.add(key);
        return ref;
      }
      const name = `${newName}_again_${added.length}`;
      const again = newLayer('Activation', {activation: 'linear'}, name);
      added.push({...again, calls: [callOn([ref])]});
      return {layer: name, call: 0, output: 0};
    });
    return {...call, inputs};
  };
  const changed = layers.map((layer) => ({
    ...layer,
    calls: layer.calls.map((call) => distinct(call, layer)),
  }));
  return [...changed, ...added];
}

function callOn(
  inputs: readonly TensorRef[],
  constants: Call['constants'] = {},
): Call {
  return {inputs, constants, shapes: []};
}

function checkArguments(
  layer: GraphLayer,
  {constants, inputs, shapes}: Call,
): void {
  const [given] = Object.entries(constants);
  if (given) {
    const [name, value] = given;
    const what = 'tf.js cannot call it with this argument';
    throw refusal(whoIs(layer), what, name, value);
  }
  if (standInFor(layer.className) && inputs.length > 1) {
    const what = 'tf.js cannot pass on more than one tensor';
    throw refusal(
      whoIs(layer),
      what,
      'inputs',
      inputs.map(({layer: l}) => l),
    );
  }
  if (!MERGES.includes(layer.className)) return;
  const ranks = shapes.map((shape) =>
    Array.isArray(shape) ? shape.length : undefined,
  );
  if (new Set(ranks).size <= 1) return;
  const what = 'tf.js merges only tensors of the same rank';
  throw refusal(whoIs(layer), what, 'shapes', shapes);
}
