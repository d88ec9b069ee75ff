import {engine, env, type Tensor, type TensorInfo} from '@tensorflow/tfjs-core';
import {isObject} from '../util/is_object.js';
import {lastOf} from '../util/at.js';

/*
 * With `tfjs_private_gpu.ts`, the one place that touches what tfjs does not promise: the
 * tape of its gradients, the heap of its wasm backend, the values of its cpu backend and
 * the op runner of tfjs-node. Each is described by what is used of it, and looked at before
 * it is used; where it is not as expected, the caller does without.
 */

/** A kernel that was recorded. */
interface TapeNode {
  readonly kernelName: string;
  /** Its gradient gets derivatives by these: zeros for those that nothing depends on. */
  readonly outputs: Tensor[];
  /** Tensors that its gradient needs: tfjs disposes them with the tape. */
  readonly saved: Tensor[];
}

/**
 * If true, kernels are recorded for one gradient: no outer one records, and will want to
 * differentiate it again.
 */
export function recordsOneGradient(): boolean {
  const {gradientDepth} = engine().state as {readonly gradientDepth?: unknown};
  return gradientDepth === 1 && engine().isTapeOn();
}

/** The latest node of the tape that records, if it is one of this kernel. */
export function latestTapeNode(kernelName: string): TapeNode | undefined {
  const {activeTape} = engine().state as {activeTape?: unknown};
  const node: unknown = Array.isArray(activeTape)
    ? lastOf(activeTape as unknown[])
    : null;
  const found =
    isObject(node) &&
    node.kernelName === kernelName &&
    Array.isArray(node.outputs) &&
    Array.isArray(node.saved);
  return found ? (node as unknown as TapeNode) : undefined;
}

/**
 * Runs ops with a flag of tfjs off, if there is such a flag and it is on.
 *
 * @param flag Its name; undefined for none.
 */
export function withFlagOff<Result>(
  flag: string | undefined,
  run: () => Result,
): Result {
  if (flag === undefined || !isOn(flag)) return run();
  env().set(flag, false);
  try {
    return run();
  } finally {
    env().set(flag, true);
  }
}

function isOn(flag: string): boolean {
  try {
    return env().getBool(flag);
  } catch {
    // tfjs knows no such flag.
    return false;
  }
}

/** The heap of a wasm backend, on which its tensors lie. */
export interface WasmHeap {
  readonly memory: WebAssembly.Memory;
  /** If true, threads share the memory. */
  readonly shared: boolean;
  /** @throws Error if the heap cannot grow so far. */
  readonly allocate: (bytes: number) => number;
  readonly free: (address: number) => void;
  /** The address of a tensor's values. */
  addressOf(info: TensorInfo): number;
  /** A tensor whose values are yet to be written. */
  makeOutput(shape: number[]): TensorInfo;
}

interface WasmBackend {
  readonly wasm: {
    readonly wasmMemory?: unknown;
    readonly asm?: {readonly memory?: unknown};
    readonly wasmExports?: {readonly memory?: unknown};
    _malloc(bytes: number): number;
    _free(address: number): void;
  };
  readonly dataIdMap: {get(dataId: object): {readonly memoryOffset: number}};
  makeOutput(shape: number[], dtype: 'float32'): TensorInfo;
}

/** @throws Error if the backend is not as that of tfjs 4. */
export function wasmHeapOf(backend: unknown): WasmHeap {
  const own = backend as WasmBackend;
  expectMethods(own, ['makeOutput']);
  expectMethods(own.dataIdMap, ['get']);
  expectMethods(own.wasm, ['_malloc', '_free']);
  const {wasm} = own;
  const memory = memoryOf(wasm);
  return {
    memory,
    shared:
      typeof SharedArrayBuffer !== 'undefined' &&
      memory.buffer instanceof SharedArrayBuffer,
    allocate: (bytes) => {
      // The module counts bytes in 32 bits and gives them signed.
      const address = wasm._malloc(bytes) >>> 0;
      if (address === 0) {
        throw new Error(`the wasm heap has no ${bytes} bytes left`);
      }
      return address;
    },
    free: (address) => {
      wasm._free(address);
    },
    addressOf: ({dataId}) => own.dataIdMap.get(dataId).memoryOffset >>> 0,
    makeOutput: (shape) => own.makeOutput(shape, 'float32'),
  };
}

function memoryOf(wasm: WasmBackend['wasm']): WebAssembly.Memory {
  const found = [
    wasm.wasmMemory,
    wasm.asm?.memory,
    wasm.wasmExports?.memory,
  ].find((memory) => isObject(memory) && isObject(memory.buffer));
  if (found === undefined) throw new Error('the wasm heap is out of reach');
  return found as WebAssembly.Memory;
}

/** The values that a cpu backend has of its tensors. */
export interface CpuValues {
  /** Not to be written to: a user's own array, or several tensors', may be it. */
  readonly valuesOf: (info: TensorInfo) => Float32Array;
  readonly makeOutput: (shape: number[], values: Float32Array) => TensorInfo;
}

interface CpuBackend {
  readonly data: {get(dataId: object): {readonly values: unknown}};
  makeTensorInfo(
    shape: number[],
    dtype: 'float32',
    values: Float32Array,
  ): TensorInfo;
}

/** @throws Error if the backend is not as that of tfjs 4. */
export function cpuValuesOf(backend: unknown): CpuValues {
  const own = backend as CpuBackend;
  expectMethods(own, ['makeTensorInfo']);
  expectMethods(own.data, ['get']);
  return {
    valuesOf: ({dataId}) => {
      const {values} = own.data.get(dataId);
      return values instanceof Float32Array
        ? values
        : Float32Array.from(values as ArrayLike<number>);
    },
    makeOutput: (shape, values) => own.makeTensorInfo(shape, 'float32', values),
  };
}

/** An attribute of a TensorFlow op. */
export type OpAttribute =
  | boolean
  | number
  | string
  | {readonly type: 'float' | 'int32'}
  | {readonly integer: number}
  | {readonly integers: readonly number[]};

/**
 * Runs a TensorFlow op.
 *
 * @param outputs How many tensors the op gives.
 */
export type OpRunner = (
  op: string,
  attributes: Readonly<Record<string, OpAttribute>>,
  inputs: readonly Tensor[],
  outputs: number,
) => Tensor[];

/** An op with its attributes, as tfjs-node's binding takes them. */
export interface PreparedOp {
  readonly op: string;
  readonly records: object[];
}

/** The op runner in two steps: what does not change from run to run is made once. */
export interface PreparedOps {
  readonly prepare: (
    op: string,
    attributes: Readonly<Record<string, OpAttribute>>,
  ) => PreparedOp;
  readonly run: (
    prepared: PreparedOp,
    inputs: readonly Tensor[],
    outputs: number,
  ) => Tensor[];
}

interface NodeBackend {
  readonly binding: Readonly<Record<string, number>>;
  readonly isUsingGpuDevice: boolean;
  executeMultipleOutputs(
    op: string,
    attributes: object[],
    inputs: readonly Tensor[],
    outputs: number,
  ): Tensor[];
}

/**
 * The op runner of tfjs-node.
 *
 * @throws Error as {@link preparedOpsOf}.
 */
export function opRunnerOf(backend: unknown): OpRunner {
  const {prepare, run} = preparedOpsOf(backend);
  return (op, attributes, inputs, outputs) =>
    run(prepare(op, attributes), inputs, outputs);
}

/**
 * The op runner of tfjs-node, in two steps.
 *
 * @throws Error if the backend is not as that of tfjs 4, or computes on a GPU, where
 *   ops keep other statistics for their gradients.
 */
export function preparedOpsOf(backend: unknown): PreparedOps {
  const own = backend as NodeBackend;
  expectMethods(own, ['executeMultipleOutputs']);
  if (own.isUsingGpuDevice) throw new Error('it computes on a GPU');
  const {binding} = own;
  for (const name of [
    'TF_ATTR_TYPE',
    'TF_ATTR_BOOL',
    'TF_ATTR_FLOAT',
    'TF_ATTR_INT',
    'TF_ATTR_STRING',
    'TF_FLOAT',
    'TF_INT32',
  ]) {
    if (typeof binding[name] !== 'number') {
      throw new Error(`the backend's binding has no ${name}`);
    }
  }
  const record = (name: string, value: OpAttribute): object => {
    if (typeof value === 'object' && 'integers' in value) {
      return {name, type: binding.TF_ATTR_INT, value: [...value.integers]};
    }
    if (typeof value === 'object' && 'integer' in value) {
      return {name, type: binding.TF_ATTR_INT, value: value.integer};
    }
    if (typeof value === 'object') {
      const types = {float: binding.TF_FLOAT, int32: binding.TF_INT32};
      return {name, type: binding.TF_ATTR_TYPE, value: types[value.type]};
    }
    const type = {
      boolean: binding.TF_ATTR_BOOL,
      number: binding.TF_ATTR_FLOAT,
      string: binding.TF_ATTR_STRING,
    }[typeof value as 'boolean' | 'number' | 'string'];
    return {name, type, value};
  };
  return {
    prepare: (op, attributes) => ({
      op,
      records: Object.entries(attributes).map((entry) => record(...entry)),
    }),
    run: ({op, records}, inputs, outputs) =>
      own.executeMultipleOutputs(op, records, inputs, outputs),
  };
}

/** @throws Error naming the first of these methods that is not there. */
export function expectMethods(object: unknown, names: readonly string[]): void {
  const missing = names.find(
    (name) => !isObject(object) || typeof object[name] !== 'function',
  );
  if (missing !== undefined) throw new Error(`the backend has no ${missing}`);
}
