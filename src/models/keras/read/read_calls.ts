import {type Json, own} from '../../graph/json.js';
import {refusal} from '../../../util/received.js';
import type {Call, TensorRef} from '../../graph/graph.js';
import {isObject} from '../../../util/is_object.js';

/** The parts of a call while it is read. */
interface Draft {
  readonly inputs: TensorRef[];
  readonly shapes: unknown[];
  readonly constants: Json;
  names?: readonly string[];
  masks?: Array<TensorRef | undefined>;
  training?: boolean;
}

const KERAS_TENSOR = '__keras_tensor__';

/** A recurrent layer's initial states follow its input. */
const MORE_INPUTS = 'initial_state';

/** The second tensor of an operation of TensorFlow. */
const OPERAND = 'y';

/** Keras 2 writes it where the first operand is a number. */
const CONSTANT = '_CONSTANT_VALUE';

/**
 * Reads the calls of a layer in a functional model: lists in Keras 2, objects
 * with arguments in Keras 3.
 *
 * @throws Error if they are neither.
 */
export function readCalls(
  nodes: readonly unknown[],
  who: string,
  isOperation: boolean,
): Call[] {
  return nodes.map((node) => {
    if (Array.isArray(node)) {
      return readKeras2Call(node as unknown[], who, isOperation);
    }
    if (isObject(node)) return readKeras3Call(node, who);
    throw refusal(who, 'inbound_nodes is malformed', 'node', node);
  });
}

/**
 * Reads a reference to a tensor, `[layer, call, output]`.
 *
 * @throws Error if it is not one.
 */
export function readTensorRef(value: unknown, who: string): TensorRef {
  const ref = tensorRefIn(value);
  if (ref) return ref;
  throw refusal(who, 'a tensor is not [layer, node, tensor]', 'tensor', value);
}

function readKeras2Call(
  node: readonly unknown[],
  who: string,
  isOperation: boolean,
): Call {
  const draft: Draft = {inputs: [], shapes: [], constants: {}};
  // Layers with one input may leave out the list of inputs.
  const tensors = typeof node[0] === 'string' ? [node] : node;
  for (const tensor of tensors) {
    if (isOperation) checkOperand(tensor, who);
    draft.inputs.push(readTensorRef(tensor, who));
    const kwargs = (tensor as unknown[])[3] ?? {};
    if (!isObject(kwargs)) {
      throw refusal(
        who,
        'the arguments of a call are not an object',
        '0',
        kwargs,
      );
    }
    const rest = isOperation ? readOperand(kwargs, draft) : kwargs;
    readKwargs(rest, draft, tensorRefIn, who);
  }
  return draft;
}

/** Takes an operation's second tensor and its name out of the arguments. */
function readOperand(kwargs: Json, draft: Draft): Json {
  const ref = tensorRefIn(kwargs[OPERAND]);
  if (ref) draft.inputs.push(ref);
  const rest = Object.entries(kwargs).filter(
    ([key]) => key !== 'name' && !(ref && key === OPERAND),
  );
  return Object.fromEntries(rest);
}

function checkOperand(tensor: unknown, who: string): void {
  if (!Array.isArray(tensor) || tensor[0] !== CONSTANT) return;
  const what = 'tf.js cannot call it with this argument';
  throw refusal(who, what, 'x', tensor[2]);
}

function readKeras3Call(node: Json, who: string): Call {
  const args = own(node, 'args') ?? [];
  const kwargs = own(node, 'kwargs') ?? {};
  if (!Array.isArray(args) || !isObject(kwargs)) {
    throw refusal(who, 'the arguments of a call are malformed', 'node', node);
  }
  const draft: Draft = {inputs: [], shapes: [], constants: {}};
  const given: unknown[] = [...(args as unknown[])];
  if (own(kwargs, 'inputs') != null) given.push(own(kwargs, 'inputs'));
  const [first] = given;
  if (isNamedTensors(first)) draft.names = Object.keys(first).sort();
  given.forEach((argument, i) => addArgument(argument, `${i}`, draft));
  const rest = Object.entries(kwargs).filter(([key]) => key !== 'inputs');
  readKwargs(Object.fromEntries(rest), draft, kerasTensorIn, who);
  return draft;
}

function addArgument(argument: unknown, place: string, draft: Draft): void {
  const ref = kerasTensorIn(argument);
  if (ref) {
    draft.inputs.push(ref);
    draft.shapes.push(own((argument as {config: Json}).config, 'shape'));
  } else if (Array.isArray(argument)) {
    argument.forEach((item) => addArgument(item, place, draft));
  } else if (isNamedTensors(argument)) {
    // Keras flattens it in the order of the names.
    const names = Object.keys(argument).sort();
    names.forEach((name) => addArgument(argument[name], place, draft));
  } else if (argument !== null) {
    draft.constants[place] = argument;
  }
}

function readKwargs(
  kwargs: Json,
  draft: Draft,
  tensorIn: (value: unknown) => TensorRef | undefined,
  who: string,
): void {
  for (const [key, value] of Object.entries(kwargs)) {
    if (isNothing(value)) continue;
    const ref = tensorIn(value);
    if (key === 'training') draft.training = readTraining(value, who);
    else if (key === 'mask' && isMasks(value, tensorIn)) {
      draft.masks = ref ? [ref] : (value as unknown[]).map(tensorIn);
    } else if (key === MORE_INPUTS && (ref || Array.isArray(value))) {
      for (const state of ref ? [value] : (value as unknown[])) {
        const stateRef = tensorIn(state);
        if (!stateRef)
          throw refusal(who, 'a state is not a tensor', key, value);
        draft.inputs.push(stateRef);
      }
    } else draft.constants[key] = value;
  }
}

/**
 * Tells if a value is one mask, or a list with a mask or null for each input.
 */
function isMasks(
  value: unknown,
  tensorIn: (value: unknown) => TensorRef | undefined,
): boolean {
  if (tensorIn(value)) return true;
  return (
    Array.isArray(value) &&
    value.every((item) => item === null || tensorIn(item) !== undefined)
  );
}

function readTraining(value: unknown, who: string): boolean {
  if (typeof value === 'boolean') return value;
  if (value === 0 || value === 1) return value === 1;
  throw refusal(who, 'training is neither true nor false', 'training', value);
}

/** If true, there is no value, or a list without any. */
function isNothing(value: unknown): boolean {
  if (value === null || value === undefined) return true;
  if (typeof value !== 'object') return false;
  const parts = Object.values(value);
  return parts.length > 0 && parts.every(isNothing);
}

function isNamedTensors(value: unknown): value is Json {
  return isObject(value) && Object.values(value).every(kerasTensorIn);
}

/** Reads a tensor as Keras 3 writes it. */
function kerasTensorIn(value: unknown): TensorRef | undefined {
  if (!isObject(value) || own(value, 'class_name') !== KERAS_TENSOR) {
    return undefined;
  }
  const config = own(value, 'config');
  return isObject(config)
    ? tensorRefIn(own(config, 'keras_history'))
    : undefined;
}

/** Reads a tensor as Keras 2 writes it. */
function tensorRefIn(value: unknown): TensorRef | undefined {
  if (!Array.isArray(value)) return undefined;
  const [layer, call, output] = value as unknown[];
  return typeof layer === 'string' && isIndex(call) && isIndex(output)
    ? {layer, call, output}
    : undefined;
}

function isIndex(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
