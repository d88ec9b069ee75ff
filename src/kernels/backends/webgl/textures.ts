import type {TensorInfo} from '@tensorflow/tfjs-core';
import type {WebGLRunner} from '../../tfjs_private.js';

/** Runs the programs of a kernel, and frees what it needs only for a while. */
export class Textures {
  private readonly temporaries: TensorInfo[] = [];

  constructor(private readonly runner: WebGLRunner) {}

  /**
   * Runs a program.
   *
   * @param textures What it reads, by name. Those that are absent are left out.
   * @param uniforms Numbers that it reads, by name.
   */
  run(
    userCode: string,
    outputShape: number[],
    textures: Readonly<Record<string, TensorInfo | undefined>>,
    uniforms: Readonly<Record<string, number>> = {},
  ): TensorInfo {
    const present = Object.entries(textures).filter(
      (entry): entry is [string, TensorInfo] => entry[1] !== undefined,
    );
    return this.runner.run(
      {
        variableNames: present.map(([name]) => name),
        outputShape,
        userCode,
        packedInputs: true,
        packedOutput: true,
        customUniforms: Object.keys(uniforms).map((name) => ({
          name,
          type: 'float',
        })),
      },
      // tfjs changes the shapes that it is given for a while.
      present.map(([, info]) => ({...info})),
      Object.values(uniforms).map((value) => [value]),
    );
  }

  /** Frees a tensor at the end. */
  temporary(info: TensorInfo): TensorInfo {
    this.temporaries.push(info);
    return info;
  }

  /** The value of a scalar that is in main memory alone. */
  valueInMemory(info: TensorInfo): number | undefined {
    return this.runner.valuesInMemory(info)?.[0];
  }

  dispose(): void {
    for (const info of this.temporaries) this.runner.dispose(info);
  }
}
