import type {
  Call,
  GraphLayer,
  GraphModel,
  TensorRef,
} from '../../graph/graph.js';
import type {Json} from '../../graph/json.js';

/** Layers that take their initial states by name. */
const WITH_STATES: readonly string[] = [
  'Bidirectional',
  'ConvLSTM2D',
  'GRU',
  'LSTM',
  'RNN',
  'SimpleRNN',
];

/** The module and the registered name of each kind of model. */
const MODELS: Readonly<Record<string, Json>> = {
  Sequential: {module: 'keras', registered_name: null},
  Functional: {
    module: 'keras.src.models.functional',
    registered_name: 'Functional',
  },
};

const OF_LAYER: Json = {module: 'keras.layers', registered_name: null};

/** Writes a model of Keras's layers as Keras 3 does. */
export function writeKeras(model: GraphModel): Json {
  const {className, newName: name} = model;
  const config = model.isSequential
    ? {layers: model.layers.map(writeLayer)}
    : writeFunctional(model);
  return {
    ...MODELS[className],
    class_name: className,
    config: {name, ...model.config, ...config},
  };
}

/** Writes a layer without its calls. */
function writeLayer(layer: GraphLayer): Json {
  if (layer.model) {
    const written = writeKeras({...layer.model, newName: layer.newName});
    return written;
  }
  const config: Json = {name: layer.newName, ...layer.config};
  for (const {key, index, layer: inner} of layer.wrapped) {
    const written = writeLayer(inner);
    const others = index === 0 ? [] : [config[key]].flat();
    config[key] = index === undefined ? written : [...others, written];
  }
  return {...OF_LAYER, class_name: layer.className, config};
}

function writeFunctional(model: GraphModel): Json {
  const layers = new Map(model.layers.map((layer) => [layer.name, layer]));
  const history = ({layer, call, output}: TensorRef): unknown[] => {
    const {newName = layer} = layers.get(layer) ?? {};
    return [newName, call, output];
  };
  // At the ends of a model, the calls of a functional model inside count from 1.
  const atEnd = (ref: TensorRef): unknown[] => {
    const inner = layers.get(ref.layer)?.model;
    const first = inner && !inner.isSequential ? 1 : 0;
    return history({...ref, call: ref.call + first});
  };
  const ends = (refs: readonly TensorRef[]): unknown => {
    const [only, ...others] = refs.map(atEnd);
    return others.length === 0 ? only : [only, ...others];
  };
  const writeCall = (layer: GraphLayer, call: Call): Json => {
    const tensors = call.inputs.map((ref, i) => ({
      class_name: '__keras_tensor__',
      config: {
        shape: call.shapes[i] ?? null,
        dtype: layers.get(ref.layer)?.config.dtype ?? 'float32',
        keras_history: history(ref),
      },
    }));
    const [first, ...states] = tensors;
    const hasStates =
      WITH_STATES.includes(layer.className) && states.length > 0;
    return {
      args: [hasStates || states.length === 0 ? first : tensors],
      kwargs: {
        ...(hasStates && {initial_state: states}),
        ...(call.training !== undefined && {training: call.training}),
      },
    };
  };
  return {
    layers: model.layers.map((layer) => ({
      ...writeLayer(layer),
      name: layer.newName,
      inbound_nodes: layer.calls.map((call) => writeCall(layer, call)),
    })),
    input_layers: ends(model.inputs),
    output_layers: ends(model.outputs),
  };
}
