import {reshape, type Tensor, tidy, zeros} from '@tensorflow/tfjs-core';
import {type layers, SymbolicTensor} from '@tensorflow/tfjs-layers';
import {listOf} from '../util/at.js';
import {refusal} from '../util/received.js';
import {maskFits} from '../ops/masked.js';

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
let announced = new WeakMap<Layer, Node>();

/** The nodes that announce themselves. */
const watched = new WeakSet<Node>();

const running = new WeakMap<Layer, Call>();

/** The results of {@link paddingOf}; null is no mask. */
const paddings = new WeakMap<Node, number | null>();

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
  const [first] = listOf<unknown>(inputs);
  if (first instanceof SymbolicTensor) {
    const output = apply();
    watchLayer(layer);
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
  const [first] = listOf(mask ?? undefined);
  const call = running.get(layer);
  if (first === undefined || call === undefined) return undefined;
  // A model that was called with these arguments before has left its own there.
  if (first.isDisposed) return undefined;
  if (call !== 'program') {
    const own = call.every(hasMaskedInput) ? unpadded(first, call) : undefined;
    return own && maskFits(own, x) ? own : undefined;
  }
  if (maskFits(first, x)) return first;
  throw refusal(
    who,
    `a mask must have fewer axes than the input, as long as the input's ` +
      `first ones or of length 1; the input's shape is [${x.shape.join(', ')}]`,
    'mask.shape',
    first.shape,
  );
}

function callOf(layer: Layer, inputs: Inputs): Call {
  const node = announced.get(layer);
  announced.delete(layer);
  const unwatched = watchLayer(layer);
  // The executor's inputs are in an array.
  if (!Array.isArray(inputs)) return 'program';
  if (node !== undefined) return [node];
  // Connected while the layer was not watched: this call may be of any of them. From
  // now on they say which is run.
  return unwatched.length > 0 ? unwatched : 'program';
}

/** Has the nodes of a layer say which is run, and returns those that did not. */
export function watchLayer(layer: Layer): readonly Node[] {
  const unwatched = layer.inboundNodes.filter((node) => !watched.has(node));
  unwatched.forEach((node) => watch(layer, node));
  return unwatched;
}

/** Forgets which nodes have run while the layers' `apply` was not {@link applyWatched}. */
export function forgetUnwatchedCalls(): void {
  announced = new WeakMap();
}

/** The executor asks an output for its inputs right before it runs the layer. */
function watch(layer: Layer, node: Node): void {
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
  return paddingOf(node) !== undefined;
}

/** The mask of these nodes' input without the axes that tfjs puts before it. */
function unpadded(mask: Tensor, [node]: readonly Node[]): Tensor {
  const padding = (node && paddingOf(node)) ?? 0;
  return padding === 0 ? mask : reshape(mask, mask.shape.slice(padding));
}

/** The padding of the mask of the node's first input; undefined without a mask. */
function paddingOf(node: Node): number | undefined {
  const known = paddings.get(node);
  if (known !== undefined) return known ?? undefined;
  let padding: number | undefined;
  tidy(() => {
    const [source] = sourcesOf(node);
    padding = source && traceMask(source, new Map())?.padding;
  });
  paddings.set(node, padding ?? null);
  return padding;
}

/** A mask of a tensor of the graph. */
interface Traced {
  readonly mask: Tensor;
  /** The number of axes of length 1 before it: one for each Add or the like. */
  readonly padding: number;
}

/**
 * Finds the mask of a node's output as the executor does, by `supportsMasking` and then
 * by `computeMask`, for inputs of zeros.
 *
 * @param traced The masks that are known already.
 */
function traceMask(
  node: Node,
  traced: Map<Node, Traced | undefined>,
): Traced | undefined {
  if (traced.has(node)) return traced.get(node);
  const found = node.outboundLayer.supportsMasking
    ? computeMask(
        node,
        sourcesOf(node).map((source) => traceMask(source, traced)),
      )
    : undefined;
  traced.set(node, found);
  return found;
}

function computeMask(
  {outboundLayer, inputTensors}: Node,
  sources: ReadonlyArray<Traced | undefined>,
): Traced | undefined {
  const [first] = sources;
  try {
    const inputs = inputTensors.map(({shape, dtype}) =>
      zeros(
        shape.map((length) => length ?? 1),
        dtype,
      ),
    );
    const masks = sources.map((source) => source?.mask ?? null);
    const [mask = null] = [
      outboundLayer.computeMask(inputs, masks as Tensor[]) as Mask | null[],
    ].flat();
    if (mask === null) return undefined;
    if (mask.rank === first?.mask.rank) return {mask, padding: first.padding};
    // tfjs stacks the masks that it merges, and leaves the stack's axis.
    const isMerged = first !== undefined && inputs.length > 1;
    return {mask, padding: isMerged ? first.padding + 1 : 0};
  } catch {
    // A layer of the user's that wants more of its input than zeros.
    return first;
  }
}

/** The nodes that a node's inputs come from. */
function sourcesOf({inboundLayers, nodeIndices}: Node): Node[] {
  return inboundLayers.flatMap(
    (layer, i) => layer.inboundNodes[nodeIndices[i] ?? 0] ?? [],
  );
}
