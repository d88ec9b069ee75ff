import {type Tensor, tidy, zeros} from '@tensorflow/tfjs-core';
import {type layers, SymbolicTensor} from '@tensorflow/tfjs-layers';
import {received} from '../src/ops/received.js';
import {maskFits} from '../src/ops/masked.js';

/*
 * tfjs's executor hands every layer of a model one object of arguments. It puts the
 * mask of a layer's input there where the input has one, and never takes it away:
 * later layers find masks of other tensors, which may fit by accident. So the graph
 * decides about a mask, not its shape.
 */

type Layer = layers.Layer;
type Node = Layer['inboundNodes'][number];
type Inputs = Parameters<Layer['apply']>[0];
type Mask = Tensor | Tensor[] | null | undefined;

/** The call of a layer that is running: of these nodes of a graph, or by a program. */
type Call = readonly Node[] | 'program';

/** The node of each layer that the executor is about to run. */
const announced = new WeakMap<Layer, Node>();

/** The nodes that announce themselves. */
const watched = new WeakSet<Node>();

const running = new WeakMap<Layer, Call>();

/** What {@link hasMaskedInput} has found. */
const haveMaskedInput = new WeakMap<Node, boolean>();

/**
 * Runs a layer's `apply`, and notes who calls it, for {@link ownMask}.
 *
 * @param apply The layer's `apply` with these inputs.
 */
export function applyWatched<Result>(
  layer: Layer,
  inputs: Inputs,
  apply: () => Result,
): Result {
  const [first] = [inputs].flat();
  if (first instanceof SymbolicTensor) {
    const output = apply();
    layer.inboundNodes.forEach((node) => watch(layer, node));
    return output;
  }
  running.set(layer, callOf(layer, inputs));
  try {
    return apply();
  } finally {
    running.delete(layer);
  }
}

/**
 * The mask that belongs to a layer's only input.
 *
 * A program's own mask does. In a model, a mask does that comes to the input by the
 * layers before it. A wrapper, such as TimeDistributed, hands on the mask of the whole
 * sequence, which is not of the step that the layer gets: that one does not.
 *
 * @param mask The mask among the arguments of the layer's call.
 * @throws Error if a program gives a mask that does not fit.
 */
export function ownMask(
  layer: Layer,
  x: Tensor,
  mask: Mask,
  who: string,
): Tensor | undefined {
  const [first] = [mask ?? undefined].flat();
  const call = running.get(layer);
  if (first === undefined || call === undefined) return undefined;
  if (maskFits(first, x)) {
    const isOwn = call === 'program' || call.every(hasMaskedInput);
    return isOwn ? first : undefined;
  }
  if (call !== 'program') return undefined;
  throw new Error(
    `${who}: a mask must have fewer axes than the input, as long as the input's ` +
      `first ones or of length 1; the input's shape is [${x.shape.join(', ')}]. ` +
      received('mask.shape', first.shape),
  );
}

function callOf(layer: Layer, inputs: Inputs): Call {
  const node = announced.get(layer);
  announced.delete(layer);
  // The executor's inputs are in an array.
  if (!Array.isArray(inputs)) return 'program';
  // Connected while the layer was not watched: this call may be of any of them. From
  // now on they say which is run.
  const unwatched = layer.inboundNodes.filter((each) => !watched.has(each));
  unwatched.forEach((each) => watch(layer, each));
  const candidates = node === undefined ? unwatched : [node, ...unwatched];
  return candidates.length > 0 ? candidates : 'program';
}

/** The executor asks an output for its inputs right before it runs the layer. */
function watch(layer: Layer, node: Node): void {
  if (watched.has(node)) return;
  watched.add(node);
  for (const output of node.outputTensors) {
    const {inputs} = output;
    Object.defineProperty(output, 'inputs', {
      configurable: true,
      enumerable: true,
      get: () => {
        announced.set(layer, node);
        return inputs;
      },
    });
  }
}

/** If true, tfjs's executor has a mask for the node's first input. */
function hasMaskedInput(node: Node): boolean {
  const known = haveMaskedInput.get(node);
  if (known !== undefined) return known;
  let isMasked = false;
  tidy(() => {
    const [source] = sourcesOf(node);
    isMasked = source !== undefined && traceMask(source, new Map()) !== null;
  });
  haveMaskedInput.set(node, isMasked);
  return isMasked;
}

/**
 * Finds the mask of a node's output as the executor does, by `supportsMasking` and then
 * by `computeMask`, for inputs of zeros.
 *
 * @param traced The masks that are known already.
 */
function traceMask(
  node: Node,
  traced: Map<Node, Tensor | null>,
): Tensor | null {
  const known = traced.get(node);
  if (known !== undefined) return known;
  const {outboundLayer: layer, inputTensors} = node;
  let mask: Tensor | null = null;
  if (layer.supportsMasking) {
    const masks = sourcesOf(node).map((source) => traceMask(source, traced));
    try {
      const inputs = inputTensors.map(({shape, dtype}) =>
        zeros(
          shape.map((length) => length ?? 1),
          dtype,
        ),
      );
      const found = layer.computeMask(inputs, masks as Tensor[]);
      mask = [found].flat()[0] ?? null;
    } catch {
      // A layer of the user's that wants more of its input than zeros.
      mask = masks[0] ?? null;
    }
  }
  traced.set(node, mask);
  return mask;
}

/** The nodes that a node's inputs come from. */
function sourcesOf({inboundLayers, nodeIndices}: Node): Node[] {
  return inboundLayers.flatMap(
    (layer, i) => layer.inboundNodes[nodeIndices[i] ?? 0] ?? [],
  );
}
