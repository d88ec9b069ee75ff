import {env, type TensorInfo} from '@tensorflow/tfjs-core';
import {
  type Backend,
  type Fused,
  type MovingInputs,
  type NormalizeAttributes,
  type Normalized,
  type Parameters,
  statisticsCount,
} from '../../contract.js';
import {webglRunnerOf} from '../../tfjs_private_gpu.js';
import {normalizeGrad} from './gradient.js';
import {packedOf} from './layout.js';
import * as programs from './programs.js';
import {Task} from './task.js';
import {Textures} from './textures.js';

/** tfjs's WebGL backend. */
export const webgl: Backend = {
  name: 'webgl',
  make: (instance) => webglKernels(instance),
  hostFlag: 'WEBGL_CPU_FORWARD',
  takesPerOuter: true,
};

/**
 * Kernels for tfjs's WebGL backend, as programs for WebGL 2 over packed textures. There
 * are none for WebGL 1, whose shaders can neither read a texel by its place nor loop as
 * far as data say, and none where textures hold half floats.
 *
 * @throws Error if programs cannot be run.
 */
export function webglKernels(backend: unknown): Fused<TensorInfo> {
  const runner = webglRunnerOf(backend);
  const fits =
    env().getNumber('WEBGL_VERSION') === 2 &&
    env().getBool('WEBGL_RENDER_FLOAT32_ENABLED');
  if (!fits) return {};
  const compute = <Result>(kernel: (gl: Textures) => Result): Result => {
    if (runner.isLost()) {
      throw new Error(
        'the WebGL context is lost: remove the backend, register it and load the ' +
          'model again',
      );
    }
    const textures = new Textures(runner);
    try {
      return kernel(textures);
    } finally {
      textures.dispose();
    }
  };
  return {
    normalize: (x, parameters, attributes) =>
      compute((gl) => normalize(gl, x, parameters, attributes)),

    applyStatistics: (x, mean, variance, parameters, attributes) =>
      compute((gl) => {
        const task = new Task(gl, x, attributes);
        const source = task.given({mean, variance});
        return task.write(source, parameters);
      }),

    normalizeGrad: (inputs, attributes) =>
      compute((gl) => normalizeGrad(gl, inputs, attributes)),

    movingStatistics: (inputs) => compute((gl) => moveStatistics(gl, inputs)),
  };
}

/** Normalize. */
function normalize(
  gl: Textures,
  x: TensorInfo,
  parameters: Parameters<TensorInfo>,
  attributes: NormalizeAttributes,
): Normalized<TensorInfo> {
  const task = new Task(gl, x, attributes);
  const moments = task.moments();
  const source = task.own(moments);
  const count = statisticsCount(attributes.view);
  const vector = (which: 'mean' | 'variance'): TensorInfo =>
    gl.run(
      programs.statisticVector(source, task.packed, which, packedOf([count])),
      [count],
      source.textures,
    );
  const mean = vector('mean');
  const variance = vector('variance');
  const y = task.write(source, parameters);
  if (attributes.recorded === true) {
    return {y, mean, variance, kept: {tensors: [moments]}};
  }
  gl.temporary(moments);
  return {y, mean, variance};
}

/** MovingStatistics. */
function moveStatistics(
  gl: Textures,
  {movingMean, movingVariance, mean, variance, rate}: MovingInputs<TensorInfo>,
): [TensorInfo, TensorInfo] {
  // A rate that is in main memory is not worth a texture.
  const known = gl.valueInMemory(rate);
  const R = known === undefined ? rate : undefined;
  const move = (O: TensorInfo, which: 'U' | 'V'): TensorInfo =>
    gl.run(
      programs.moved(packedOf(O.shape), which, R ? 'valueR(0)' : 'rate'),
      O.shape,
      {O, U: mean, V: variance, R},
      known,
    );
  return [move(movingMean, 'U'), move(movingVariance, 'V')];
}
