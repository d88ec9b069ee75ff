import {type TensorInfo, util} from '@tensorflow/tfjs-core';
import {isObject} from '../util/is_object.js';
import {expectMethods} from './tfjs_private.js';

/*
 * The private parts of tfjs's webgpu and webgl backends, as `tfjs_private.ts` has those of
 * the others.
 */

/** A program for tfjs's WebGPU backend, over tensors as flat lists. */
export interface GpuProgram {
  /** Programs of one key have the same code. */
  readonly key: string;
  readonly code: () => string;
  /** The names of the inputs, and how many floats are read of each at once. */
  readonly inputs: ReadonlyArray<readonly [name: string, width: number]>;
  /** The numbers of floats that are written, and those that are written at once. */
  readonly output: {readonly size: number; readonly width: number};
  readonly threads: number;
  readonly dispatch: [number, number, number];
  /** Declares {@link GpuProgram.integers} and {@link GpuProgram.floats}, in order. */
  readonly uniforms: string;
  readonly integers: readonly number[];
  readonly floats: readonly number[];
}

/** The methods of a WebGPU backend that this package uses. */
export interface GpuRunner {
  /** The most bytes of a tensor. */
  readonly mostBytes: number;
  /** The most workgroups in a dimension. */
  readonly mostWorkgroups: number;
  /** @throws Error if the device is lost: what it computes would be read as zeros. */
  run(program: GpuProgram, inputs: readonly TensorInfo[]): TensorInfo;
  dispose(info: TensorInfo): void;
  /** The first value of a tensor that is not on the device yet. */
  valueOf(info: TensorInfo): number | undefined;
}

interface WebgpuBackend {
  readonly device: {
    readonly limits: {
      readonly maxStorageBufferBindingSize: number;
      readonly maxComputeWorkgroupsPerDimension: number;
    };
    readonly lost: Promise<{readonly message: string}>;
  };
  readonly tensorMap: {
    get(dataId: object): {readonly values?: ArrayLike<number> | null};
  };
  runWebGPUProgram(
    program: object,
    inputs: TensorInfo[],
    dtype: 'float32',
    uniforms: object[],
  ): TensorInfo;
  disposeData(dataId: object): boolean;
}

/** @throws Error if the backend is not as that of tfjs 4. */
export function gpuRunnerOf(backend: unknown): GpuRunner {
  const own = backend as WebgpuBackend;
  expectMethods(own, ['runWebGPUProgram', 'disposeData']);
  expectMethods(own.tensorMap, ['get']);
  expectMethods((own as Partial<WebgpuBackend>).device?.lost, ['then']);
  const {limits, lost} = own.device;
  const {maxStorageBufferBindingSize, maxComputeWorkgroupsPerDimension} =
    limits;
  let loss: string | undefined;
  void lost.then(({message}) => (loss = message));
  return {
    mostBytes: maxStorageBufferBindingSize,
    mostWorkgroups: maxComputeWorkgroupsPerDimension,
    run: (program, inputs) => {
      if (loss !== undefined) {
        throw new Error(`the WebGPU device is lost: ${loss}`);
      }
      const {key, code, output, threads, dispatch, uniforms} = program;
      return own.runWebGPUProgram(
        {
          variableNames: program.inputs.map(([name]) => name),
          variableComponents: program.inputs.map(([, width]) => width),
          outputShape: [output.size],
          outputComponent: output.width,
          dispatchLayout: {x: [0]},
          dispatch,
          workgroupSize: [threads, 1, 1],
          shaderKey: key,
          getUserCode: code,
          uniforms,
        },
        inputs.map(({dataId, dtype, shape}) => ({
          dataId,
          dtype,
          shape: [util.sizeFromShape(shape)],
        })),
        'float32',
        [
          ...program.integers.map((n) => ({type: 'int32', data: [n]})),
          ...program.floats.map((n) => ({type: 'float32', data: [n]})),
        ],
      );
    },
    dispose: ({dataId}) => {
      own.disposeData(dataId);
    },
    valueOf: ({dataId}) => own.tensorMap.get(dataId).values?.[0],
  };
}

/** A program for tf.js's WebGL backend, all of whose textures are packed. */
export interface WebGLProgram {
  readonly variableNames: string[];
  readonly outputShape: number[];
  readonly userCode: string;
  readonly packedInputs: true;
  readonly packedOutput: true;
  readonly outPackingScheme: number;
  readonly customUniforms: Array<{name: string; type: 'float'}>;
}

/** The parts of tf.js's WebGL backend that run programs. */
export interface WebGLRunner {
  /** Runs a program. `uniforms` are the values of its custom uniforms. */
  run(
    program: WebGLProgram,
    inputs: TensorInfo[],
    uniforms: number[][],
    texture: [number, number],
  ): TensorInfo;
  /** A packed copy of a tensor whose texture is not packed; undefined for any other. */
  pack(info: TensorInfo): TensorInfo | undefined;
  dispose(info: TensorInfo): void;
  /** A packed texture's width in texels, and the shape that it is packed for, if any. */
  textureOf(
    dataId: object,
  ): {readonly width: number; readonly shape: readonly number[]} | undefined;
  /** The first value of a tensor that is in main memory alone. */
  valueOf(info: TensorInfo): number | undefined;
  /** If true, textures are gone, and whatever is read is zeros. */
  isLost(): boolean;
}

interface WebGLBackend {
  runWebGLProgram(
    program: WebGLProgram,
    inputs: TensorInfo[],
    dtype: 'float32',
    uniforms: number[][],
    staysPacked: boolean,
    texture: [number, number],
  ): TensorInfo;
  packTensor(info: TensorInfo): TensorInfo;
  disposeIntermediateTensorInfo(info: TensorInfo): void;
  getGPGPUContext(): {readonly gl: {isContextLost(): boolean}};
  getDataInfo(dataId: object): {
    readonly texture?: unknown;
    readonly isPacked?: boolean;
    readonly shape: readonly number[];
    /** Rows and columns of values. */
    readonly texShape?: readonly [number, number] | null;
    readonly values?: ArrayLike<number> | null;
  };
}

/** @throws Error if the backend is not as that of tfjs 4. */
export function webglRunnerOf(backend: unknown): WebGLRunner {
  const own = backend as WebGLBackend;
  expectMethods(own, [
    'runWebGLProgram',
    'packTensor',
    'disposeIntermediateTensorInfo',
    'getDataInfo',
    'getGPGPUContext',
  ]);
  const {gl} = own.getGPGPUContext();
  expectMethods(gl, ['isContextLost']);
  return {
    run: (program, inputs, uniforms, texture) =>
      own.runWebGLProgram(program, inputs, 'float32', uniforms, true, texture),
    pack: (info) => {
      const {texture, isPacked = false} = own.getDataInfo(info.dataId);
      return isObject(texture) && !isPacked ? own.packTensor(info) : undefined;
    },
    dispose: (info) => {
      own.disposeIntermediateTensorInfo(info);
    },
    textureOf: (dataId) => {
      const {texShape, isPacked = false, shape} = own.getDataInfo(dataId);
      return texShape && isPacked
        ? {width: Math.ceil(texShape[1] / 2), shape}
        : undefined;
    },
    valueOf: ({dataId}) => {
      const {texture, values} = own.getDataInfo(dataId);
      return isObject(texture) ? undefined : values?.[0];
    },
    isLost: () => gl.isContextLost(),
  };
}
