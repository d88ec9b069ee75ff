import {refusal} from '../../../util/received.js';
import {
  type GraphLayer,
  type GraphModel,
  type TensorRef,
  whoIs,
} from '../../graph/graph.js';

/* tf.js waits forever for a layer that is missing or that waits for itself. */

/**
 * Checks that every layer of a functional model is called on existing tensors.
 *
 * @throws Error naming a layer whose input comes from nowhere or from itself,
 *   or the model, if it has no input or an output that nothing makes.
 */
export function checkGraph(model: GraphModel): void {
  const who = `${model.className} ${model.name}`;
  if (model.layers.length === 0) {
    throw refusal(who, 'it has no layers', 'layers', []);
  }
  if (model.isSequential) return;
  const layers = new Map(model.layers.map((layer) => [layer.name, layer]));
  for (const layer of model.layers) {
    for (const {inputs} of layer.calls) {
      if (inputs.length === 0) {
        throw refusal(
          whoIs(layer),
          'it is called without inputs',
          'inputs',
          [],
        );
      }
      for (const ref of inputs) checkRef(ref, layers, whoIs(layer));
    }
  }
  for (const [what, ends] of [
    ['inputs', model.inputs],
    ['outputs', model.outputs],
  ] as const) {
    if (ends.length === 0) throw refusal(who, `it has no ${what}`, what, []);
    for (const ref of ends) checkRef(ref, layers, who);
  }
  for (const ref of model.inputs) {
    if (layers.get(ref.layer)?.className !== 'InputLayer') {
      throw refusal(who, 'an input is not an InputLayer', 'input', ref.layer);
    }
  }
  checkOrder(model, layers);
}

function checkRef(
  ref: TensorRef,
  layers: ReadonlyMap<string, GraphLayer>,
  who: string,
): void {
  const source = layers.get(ref.layer);
  const calls = source?.className === 'InputLayer' ? 1 : source?.calls.length;
  if (calls !== undefined && ref.call < calls) return;
  const what =
    source === undefined
      ? `there is no layer ${ref.layer}`
      : `the layer ${ref.layer} is called fewer times`;
  throw refusal(who, what, 'input', [ref.layer, ref.call, ref.output]);
}

/** Checks that each call can come after those that make its inputs. */
function checkOrder(
  model: GraphModel,
  layers: ReadonlyMap<string, GraphLayer>,
): void {
  const state = new Map<string, 'open' | 'done'>();
  // Iterative, since models can be deeper than the call stack.
  const stack = model.layers.flatMap((layer) =>
    layer.calls.map((_, call) => ({layer, call})),
  );
  for (;;) {
    const top = stack[stack.length - 1];
    if (top === undefined) return;
    const {layer, call} = top;
    const key = `${call} ${layer.name}`;
    if (state.get(key) !== undefined) {
      stack.pop();
      // Everything it was waiting for has been done since.
      state.set(key, 'done');
      continue;
    }
    state.set(key, 'open');
    for (const ref of layer.calls[call]?.inputs ?? []) {
      const source = layers.get(ref.layer);
      if (!source || source.className === 'InputLayer') continue;
      const inner = state.get(`${ref.call} ${ref.layer}`);
      if (inner === 'open') {
        const what = 'its input depends on its own output';
        throw refusal(whoIs(layer), what, 'input', ref.layer);
      }
      if (inner === undefined) stack.push({layer: source, call: ref.call});
    }
  }
}
