import {type TensorInfo, util} from '@tensorflow/tfjs-core';
import type {WebGLRunner} from '../../tfjs_private_gpu.js';
import {readersOf} from './glsl.js';
import {packedOf, textureOf} from './layout.js';

/** tf.js's word for textures of a given shape. */
const DENSE = 0;

/** Runs the programs of a kernel, and frees what it needs only for a while. */
export class Textures {
  private readonly temporaries: TensorInfo[] = [];
  private readonly copies = new Map<object, TensorInfo>();

  constructor(private readonly runner: WebGLRunner) {}

  /**
   * Runs a program, which writes a tensor of this shape.
   *
   * @param textures What it reads, by name. Those that are absent are left out.
   * @param rate A number that it may read.
   */
  run(
    text: string,
    shape: readonly number[],
    textures: Readonly<Record<string, TensorInfo | undefined>>,
    rate = 0,
  ): TensorInfo {
    const present = Object.entries(textures).flatMap(([name, info]) =>
      info ? [{name, info: this.packed(info)}] : [],
    );
    const readers = present.map(({name, info}) =>
      readersOf(name, packedOf(info.shape), this.widthOf(info)),
    );
    const output = this.runner.run(
      {
        variableNames: present.map(({name}) => name),
        outputShape: threeAxes(shape),
        userCode: [...readers, text].join(''),
        packedInputs: true,
        packedOutput: true,
        outPackingScheme: DENSE,
        customUniforms: [{name: 'rate', type: 'float'}],
      },
      present.map(({info}) => info),
      [[rate]],
      textureOf(packedOf(shape)),
    );
    return {...output, shape: [...shape]};
  }

  /**
   * The width of a tensor's texture; undefined if it has none yet, or one for another shape,
   * which tf.js copies for each program.
   */
  private widthOf({dataId, shape}: TensorInfo): number | undefined {
    const texture = this.runner.textureOf(dataId);
    return texture && util.arraysEqual(threeAxes(texture.shape), shape)
      ? texture.width
      : undefined;
  }

  /** The tensor, packed once for all programs: tf.js would do so for each. */
  private packed(given: TensorInfo): TensorInfo {
    const info = {...given, shape: threeAxes(given.shape)};
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
