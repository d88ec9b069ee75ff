import {
  type Call,
  type GraphLayer,
  type GraphModel,
  keyOf,
  type TensorRef,
} from '../../graph/graph.js';

/** A call of a layer, for one of its output tensors. */
export interface Step {
  readonly key: string;
  readonly layer: GraphLayer;
  readonly call: Call;
  readonly output: number;
  /** The keys of its input tensors. */
  readonly inputs: readonly string[];
  /** If true, tf.js inlines its layers instead of calling it. */
  readonly isInlined: boolean;
}

export interface Order {
  readonly steps: readonly Step[];
  /** The keys of the model's inputs and outputs. */
  readonly start: readonly string[];
  readonly outputs: readonly string[];
}

/** The order in which tf.js's executor computes the outputs of a model. */
export function executionOrder(model: GraphModel): Order {
  return model.isSequential ? oneByOne(model) : backFromOutputs(model);
}

function oneByOne({layers}: GraphModel): Order {
  const ref = (layer: string): TensorRef => ({layer, call: 0, output: 0});
  const start = keyOf(ref(''));
  let last = start;
  const steps = layers
    .filter(({className}) => className !== 'InputLayer')
    .map((layer) => {
      const inputs = [last];
      last = keyOf(ref(layer.name));
      const call: Call = {inputs: [ref(layer.name)], constants: {}, shapes: []};
      const isInlined = layer === layers[0] && layer.model !== undefined;
      return {key: last, layer, call, output: 0, inputs, isInlined};
    });
  return {steps, start: [start], outputs: [last]};
}

/**
 * Depth first, from each output in turn, starting with the last of its inputs.
 */
function backFromOutputs({layers, inputs, outputs}: GraphModel): Order {
  const byName = new Map(layers.map((layer) => [layer.name, layer]));
  const done = new Set(inputs.map(keyOf));
  const steps: Step[] = [];
  // Iterative, since models can be deeper than the call stack.
  const stack = [...outputs].reverse().map((ref) => ({ref, isOpen: false}));
  for (;;) {
    const top = stack.pop();
    if (top === undefined) break;
    const {ref, isOpen} = top;
    const key = keyOf(ref);
    const layer = byName.get(ref.layer);
    const call = layer?.calls[ref.call];
    if (done.has(key) || !layer || !call) continue;
    if (isOpen) {
      done.add(key);
      const keys = call.inputs.map(keyOf);
      const {output} = ref;
      steps.push({key, layer, call, output, inputs: keys, isInlined: false});
    } else {
      stack.push({ref, isOpen: true});
      stack.push(...call.inputs.map((of) => ({ref: of, isOpen: false})));
    }
  }
  return {steps, start: inputs.map(keyOf), outputs: outputs.map(keyOf)};
}
