import type {TensorInfo} from '@tensorflow/tfjs-core';
import type {WebGLRunner} from '../../tfjs_private_gpu.js';
import {TEXEL, valueOf} from './glsl.js';
import {packedOf} from './layout.js';

/** Runs the programs of a kernel, and frees what it needs only for a while. */
export class Textures {
  private readonly temporaries: TensorInfo[] = [];
  private readonly copies = new Map<object, TensorInfo>();

  constructor(private readonly runner: WebGLRunner) {}

  /**
   * Runs a program, which writes a tensor of this shape.
   *
   * @param textures What it reads, by name. Those that are absent are left out.
   * @param rate A number that it reads.
   */
  run(
    text: string,
    shape: readonly number[],
    textures: Readonly<Record<string, TensorInfo | undefined>>,
    rate?: number,
  ): TensorInfo {
    const present = Object.entries(textures).filter(
      (entry): entry is [string, TensorInfo] => entry[1] !== undefined,
    );
    const readers = present.map(([name, info]) =>
      valueOf(name, packedOf(info.shape)),
    );
    const known = rate === undefined ? [] : [rate];
    const output = this.runner.run(
      {
        variableNames: present.map(([name]) => name),
        outputShape: threeAxes(shape),
        userCode: [TEXEL, ...readers, text].join(''),
        packedInputs: true,
        packedOutput: true,
        customUniforms: known.map(() => ({name: 'rate', type: 'float'})),
      },
      present.map(([, info]) =>
        this.packed({...info, shape: threeAxes(info.shape)}),
      ),
      known.map((value) => [value]),
    );
    return {...output, shape: [...shape]};
  }

  /** The tensor, packed once for all programs: tf.js would do so for each. */
  private packed(info: TensorInfo): TensorInfo {
    const known = this.copies.get(info.dataId);
    if (known) return {...known, shape: info.shape};
    const copy = this.runner.pack(info);
    if (copy === undefined) return info;
    this.copies.set(info.dataId, this.temporary(copy));
    return copy;
  }

  /** Frees a tensor at the end. */
  temporary(info: TensorInfo): TensorInfo {
    this.temporaries.push(info);
    return info;
  }

  /** The value of a scalar that is in main memory alone. */
  valueInMemory(info: TensorInfo): number | undefined {
    return this.runner.valueOf(info);
  }

  dispose(): void {
    for (const info of this.temporaries) this.runner.dispose(info);
  }
}

/** A shape as its texture has it, which is the same for any number of axes. */
function threeAxes(shape: readonly number[]): number[] {
  const {slices, rows, columns} = packedOf(shape);
  return [slices, rows, columns];
}
