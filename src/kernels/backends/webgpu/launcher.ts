import type {TensorInfo} from '@tensorflow/tfjs-core';
import type {GpuRunner} from '../../tfjs_private_gpu.js';
import {dispatchOf, type Grid} from './plan.js';
import {codeOf} from './shaders.js';
import {
  FLOATS,
  INTEGERS,
  type Kind,
  outputWidth,
  type Spec,
  UNIFORMS,
  widthOf,
} from './wgsl.js';

/** The inputs of a shader, by name. Those that are undefined are not there. */
export type Tensors = Readonly<Record<string, TensorInfo | undefined>>;

/** A launch of a shader. */
export interface Launch {
  readonly kind: Kind;
  readonly grid: Grid;
  /** The rest of the spec, beside the grid's. */
  readonly spec?: Omit<Partial<Spec>, 'kind' | 'has'>;
  readonly tensors: Tensors;
  /** The number of values it gives. */
  readonly size: number;
  /** The shape of its output. Defaults to a list. */
  readonly shape?: readonly number[];
  /** Uniforms that the grid does not say. Those left out are 1. */
  readonly sizes?: Readonly<Record<string, number>>;
}

/** Launches the shaders of a kernel, and frees what they leave. */
export class Launcher {
  private readonly intermediates: TensorInfo[] = [];

  constructor(private readonly runner: GpuRunner) {}

  run({kind, grid, spec, tensors, size, shape, sizes}: Launch): TensorInfo {
    const inputs = Object.entries(tensors).filter(
      (entry): entry is [string, TensorInfo] => entry[1] !== undefined,
    );
    const {width, columns, flat, beside, lanes, across} = grid;
    const whole: Spec = {
      ...{width, columns, flat, beside, lanes, across},
      ...spec,
      kind,
      has: inputs.map(([name]) => name),
    };
    const values: Readonly<Record<string, unknown>> = {...grid, ...sizes};
    const uniform = (name: string): number => Number(values[name] ?? 1);
    const output = this.runner.run(
      {
        key: `TfjsNormalization ${JSON.stringify(whole)}`,
        code: () => codeOf(whole),
        inputs: inputs.map(([name]) => [name, widthOf(whole, name)]),
        output: {size, width: outputWidth(whole)},
        threads: lanes * across,
        dispatch: dispatchOf(grid, this.runner.mostWorkgroups),
        uniforms: UNIFORMS,
        integers: INTEGERS.map(uniform),
        floats: FLOATS.map(uniform),
      },
      inputs.map(([, info]) => info),
    );
    return shape ? {...output, shape: [...shape]} : output;
  }

  /** Runs a shader whose output is freed with {@link disposeIntermediates}. */
  intermediate(launch: Launch): TensorInfo {
    const output = this.run(launch);
    this.intermediates.push(output);
    return output;
  }

  /** To be called when the kernel is done. tfjs waits for the device. */
  disposeIntermediates(): void {
    for (const output of this.intermediates) this.runner.dispose(output);
  }
}
