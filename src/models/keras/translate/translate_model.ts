import {callSiteTraining} from './call_site_training.js';
import {checkGraph} from '../read/check_graph.js';
import {distinctInputs} from './distinct_inputs.js';
import {checkMasks} from './check_masks.js';
import {refusal} from '../../graph/json.js';
import {
  type Call,
  type KerasLayer,
  type KerasModel,
  modelsIn,
  type TensorRef,
  whoIs,
} from '../read/keras_model.js';
import {withOrderedCalls} from '../../graph/order_calls.js';
import {standInFor} from './layer_rules.js';
import {withoutMaskOperations} from './mask_operations.js';
import type {Notes} from '../../graph/notes.js';
import type {KerasFile} from '../read/read_model.js';
import {
  type Steps,
  type Surroundings,
  type Translated,
  translateSteps,
} from './translate_layer.js';
import {makeNamesUnique} from './unique_names.js';

/** Operations of Keras 3 that tf.js has as layers, on tensors of one rank. */
const MERGES: readonly string[] = ['Add', 'Multiply', 'Maximum', 'Minimum'];

/**
 * Translates the model to tf.js's model.json. Gives its layers their new names.
 *
 * @throws Error naming the layer or option that tf.js does not have.
 */
export function translateModel(
  {model, isKeras3, isFromTfjs}: KerasFile,
  {hasWeights, notes}: {hasWeights: boolean; notes: Notes},
): Translated {
  modelsIn(model).forEach(checkGraph);
  const renamed = makeNamesUnique(model);
  for (const change of renamed) {
    notes.add('tf.js needs unique, valid layer names; renamed', change);
  }
  // tf.js writes the `training` argument of calls, but never reads it.
  const training = isFromTfjs
    ? new Map<KerasLayer, boolean>()
    : callSiteTraining(model, isKeras3);
  // A file of tf.js's own keeps tf.js's masks.
  if (!isFromTfjs) checkMasks(model, {isKeras3, training}, notes);
  const around = {isKeras3, isFromTfjs, hasWeights, notes, training};
  return withOrderedCalls(emitModel(model, around));
}

function emitModel(model: KerasModel, around: Surroundings): Translated {
  return model.isSequential
    ? emitSequential(model, around)
    : emitFunctional(withoutMaskOperations(model), around);
}

function emitLayer(layer: KerasLayer, around: Surroundings): Steps {
  return layer.model
    ? {first: emitModel(layer.model, around), then: []}
    : translateSteps(layer, around, (inner) => emitWrapped(inner, around));
}

function emitWrapped(layer: KerasLayer, around: Surroundings): Translated {
  const {first, then} = emitLayer(layer, around);
  if (then.length === 0) return first;
  const what =
    'tf.js needs several layers for it, and a wrapper can hold only one';
  throw refusal(whoIs(layer), what, 'config', layer.config);
}

function emitSequential(model: KerasModel, around: Surroundings): Translated {
  const layers = model.layers.flatMap((layer) => {
    const {first, then} = emitLayer(layer, around);
    return [first, ...then];
  });
  return {
    class_name: model.className,
    config: {
      name: model.newName,
      layers: [...inputOf(model, layers), ...layers],
    },
  };
}

/**
 * Returns the input that a sequential model was built with and does not list.
 */
function inputOf(
  {newName, inputShape}: KerasModel,
  [first]: readonly Translated[],
): Translated[] {
  const isThere =
    first?.class_name === 'InputLayer' ||
    first?.config.batch_input_shape !== undefined ||
    first?.config.layers !== undefined;
  if (isThere || inputShape === undefined) return [];
  const config = {
    batch_input_shape: inputShape,
    dtype: 'float32',
    sparse: false,
    name: `${newName}_input`,
  };
  return [{class_name: 'InputLayer', config}];
}

function emitFunctional(model: KerasModel, around: Surroundings): Translated {
  const {inputsOf, added} = around.isFromTfjs
    ? {inputsOf: ({inputs}: Call) => inputs, added: []}
    : distinctInputs(model);
  const layers = new Map(
    [...model.layers, ...added].map((layer) => [
      layer.name,
      {layer, ...emitLayer(layer, around)},
    ]),
  );
  const emitRef = ({layer: name, call, output}: TensorRef): unknown[] => {
    const {layer, then} = layers.get(name) ?? {};
    // In tf.js a model has been called once before its first use.
    const first = layer?.model ? 1 : 0;
    const last = then?.[then.length - 1];
    return [last?.config.name ?? layer?.newName, call + first, output];
  };
  return {
    class_name: model.className,
    config: {
      name: model.newName,
      layers: [...layers.values()].flatMap(({layer, first, then}) => {
        const {newName: name, calls} = layer;
        const nodes = calls.map((call) => {
          if (!around.isFromTfjs) checkArguments(layer, call);
          const kwargs = around.isFromTfjs ? call.constants : {};
          return inputsOf(call).map((ref) => [...emitRef(ref), kwargs]);
        });
        const rest = then.map((next, i) => {
          const before = then[i - 1]?.config.name ?? name;
          const after = calls.map((_, call) => [[before, call, 0, {}]]);
          return {name: next.config.name, ...next, inbound_nodes: after};
        });
        return [{name, ...first, inbound_nodes: nodes}, ...rest];
      }),
      input_layers: model.inputs.map(emitRef),
      output_layers: model.outputs.map(emitRef),
    },
  };
}

function checkArguments(
  layer: KerasLayer,
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
