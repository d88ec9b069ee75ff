import type {TensorInfo} from '@tensorflow/tfjs-core';
import {
  type Backend,
  type Fused,
  type Parameters,
  parametersCount,
  statisticsCount,
} from '../../contract.js';
import * as loops from './loops.js';
import {CopyWorkspace} from './copy_workspace.js';
import {moveIn} from '../../simd/moving.js';
import {normalizeIn} from '../../simd/normalize.js';
import {normalizeGradIn} from '../../simd/normalize_grad.js';
import {cpuValuesOf} from '../../tfjs_private.js';

type Values = Float32Array;

/** tfjs's cpu backend. */
export const cpu: Backend = {
  name: 'cpu',
  make: (instance) => cpuKernels(instance),
};

/** Options of {@link cpuKernels}. */
export interface CpuOptions {
  /**
   * The memory that WebAssembly computes in; undefined for loops in JavaScript. Defaults to one
   * over a memory of its own, where WebAssembly and its vectors are allowed.
   */
  readonly workspace?: CopyWorkspace | undefined;
}

/**
 * Kernels for tfjs's cpu backend: WebAssembly over a memory of its own, and loops in
 * JavaScript where that is not available, or where a row is too long to be copied.
 *
 * @throws Error if the backend's values are out of reach.
 */
export function cpuKernels(
  backend: unknown,
  {workspace}: CpuOptions = {workspace: makeWorkspace()},
): Fused<TensorInfo> {
  const {valuesOf, makeOutput} = cpuValuesOf(backend);
  const parametersOf = ({
    gamma,
    beta,
  }: Parameters<TensorInfo>): Parameters<Values> => ({
    gamma: gamma && valuesOf(gamma),
    beta: beta && valuesOf(beta),
  });
  const inWorkspace = (run: (workspace: CopyWorkspace) => boolean): boolean =>
    workspace?.run(run) ?? false;

  return {
    normalize(info, parameters, attributes) {
      const x = valuesOf(info);
      const count = statisticsCount(attributes.view);
      const y = new Float32Array(x.length);
      const mean = new Float32Array(count);
      const variance = new Float32Array(count);
      const data = {x, y, mean, variance, ...parametersOf(parameters)};
      const options = {...attributes, given: false};
      if (!inWorkspace((w) => normalizeIn(w, data, options))) {
        loops.normalize(data, options);
      }
      return {
        y: makeOutput([...info.shape], y),
        mean: makeOutput([count], mean),
        variance: makeOutput([count], variance),
      };
    },

    applyStatistics(info, mean, variance, parameters, attributes) {
      const x = valuesOf(info);
      const y = new Float32Array(x.length);
      const data = {
        x,
        y,
        mean: valuesOf(mean),
        variance: valuesOf(variance),
        ...parametersOf(parameters),
      };
      const options = {...attributes, given: true};
      if (!inWorkspace((w) => normalizeIn(w, data, options))) {
        loops.normalize(data, options);
      }
      return makeOutput([...info.shape], y);
    },

    normalizeGrad(inputs, attributes) {
      const {dy, x, mean, variance, gamma, dmean, dvariance} = inputs;
      const count = parametersCount(attributes.view);
      const parameter = (isThere: boolean): Values | undefined =>
        isThere ? new Float32Array(count) : undefined;
      const values = valuesOf(x);
      const outputs = {
        dx: new Float32Array(values.length),
        dgamma: parameter(attributes.scale),
        dbeta: parameter(attributes.center),
      };
      const data = {
        dy: valuesOf(dy),
        x: values,
        mean: valuesOf(mean),
        variance: valuesOf(variance),
        gamma: gamma && valuesOf(gamma),
        dmean: dmean && valuesOf(dmean),
        dvariance: dvariance && valuesOf(dvariance),
        ...outputs,
      };
      if (!inWorkspace((w) => normalizeGradIn(w, data, attributes))) {
        loops.normalizeGrad(data, attributes);
      }
      const {dx, dgamma, dbeta} = outputs;
      return {
        dx: makeOutput([...x.shape], dx),
        dgamma: dgamma && makeOutput([count], dgamma),
        dbeta: dbeta && makeOutput([count], dbeta),
      };
    },

    movingStatistics({movingMean, movingVariance, mean, variance, rate}) {
      const old = valuesOf(movingMean);
      const next: [Values, Values] = [
        new Float32Array(old.length),
        new Float32Array(old.length),
      ];
      const inputs = {
        movingMean: old,
        movingVariance: valuesOf(movingVariance),
        mean: valuesOf(mean),
        variance: valuesOf(variance),
        rate: valuesOf(rate),
      };
      const done = inWorkspace((w) => {
        moveIn(w, inputs, next, old.length);
        return true;
      });
      if (!done) loops.movingStatistics(inputs, next);
      return [
        makeOutput([...movingMean.shape], next[0]),
        makeOutput([...movingVariance.shape], next[1]),
      ];
    },
  };
}

function makeWorkspace(): CopyWorkspace | undefined {
  try {
    return new CopyWorkspace();
  } catch {
    // A content security policy may forbid it; the loops need nothing.
    return undefined;
  }
}
