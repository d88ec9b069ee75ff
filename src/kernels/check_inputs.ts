import {type TensorInfo, util} from '@tensorflow/tfjs-core';
import {received, refusal} from '../util/received.js';
import {
  APPLY_STATISTICS,
  NORMALIZE,
  NORMALIZE_GRAD,
  type NormalizeAttributes,
  type NormalizeGradAttributes,
  type View,
  parametersCount,
  statisticsCount,
  viewSize,
} from './contract.js';

/*
 * Kernels work on raw memory, and read as far as a view says. Every call of one passes
 * here first, whoever makes it.
 */

/** An input of a kernel: its name, and how many values it must have. */
type Input = readonly [name: string, size: number];

/** The most that Normalize keeps for its gradient. */
const MOST_KEPT = 2;

/**
 * Checks the inputs of a kernel against its attributes.
 *
 * @throws Error naming the input that is missing, left over or of another size, or the
 *   attribute that is not as it must be.
 */
export function checkInputs(
  kernelName: string,
  inputs: readonly TensorInfo[],
  attributes: object,
): void {
  const expected = expectedInputs(kernelName, inputs, attributes);
  const most =
    expected.length + (kernelName === NORMALIZE_GRAD ? MOST_KEPT : 0);
  if (inputs.length < expected.length || inputs.length > most) {
    const names = expected.map(([name]) => name).join(', ');
    throw refusal(
      kernelName,
      `the inputs must be ${names}`,
      'inputs',
      inputs.length,
    );
  }
  expected.forEach(([name, size], i) => {
    if (sizeOf(inputs[i]) === size) return;
    throw new Error(
      `${kernelName}: ${name} must have ${size} values. ` +
        received(`${name}.shape`, inputs[i]?.shape),
    );
  });
}

function expectedInputs(
  kernelName: string,
  inputs: readonly TensorInfo[],
  attributes: object,
): Input[] {
  switch (kernelName) {
    case NORMALIZE:
    case APPLY_STATISTICS: {
      const attrs = attributes as NormalizeAttributes;
      checkAttributes(kernelName, attrs);
      const {view, scale, center} = attrs;
      const count = statisticsCount(view);
      const parameters = parametersCount(view);
      const known: Input[] = [
        ['mean', count],
        ['variance', count],
      ];
      return [
        ['x', viewSize(view)],
        ...(kernelName === NORMALIZE ? [] : known),
        ...only(scale, ['gamma', parameters]),
        ...only(center, ['beta', parameters]),
      ];
    }
    case NORMALIZE_GRAD: {
      const attrs = attributes as NormalizeGradAttributes;
      checkAttributes(kernelName, attrs);
      const {view, scale, differentiableStatistics: flows} = attrs;
      const size = viewSize(view);
      const count = statisticsCount(view);
      return [
        ['dy', size],
        ...only(flows, ['dmean', count]),
        ...only(flows, ['dvariance', count]),
        ['x', size],
        ['mean', count],
        ['variance', count],
        ...only(scale, ['gamma', parametersCount(view)]),
      ];
    }
    default: {
      // MovingStatistics, which is of any size.
      const size = sizeOf(inputs[0]);
      const names = ['movingMean', 'movingVariance', 'mean', 'variance'];
      return [...names.map((name): Input => [name, size]), ['rate', 1]];
    }
  }
}

function only(isThere: boolean, input: Input): Input[] {
  return isThere ? [input] : [];
}

function checkAttributes(
  kernelName: string,
  {view, epsilon}: Partial<NormalizeAttributes>,
): void {
  if (!isView(view ?? {})) {
    throw refusal(
      kernelName,
      'view must have whole numbers from 0 as batch, outer, group, channel, inner',
      'view',
      view,
    );
  }
  if (typeof epsilon === 'number' && epsilon >= 0 && epsilon < Infinity) return;
  throw refusal(
    kernelName,
    'epsilon must be a finite number from 0',
    'epsilon',
    epsilon,
  );
}

function isView({batch, outer, group, channel, inner}: Partial<View>): boolean {
  return [batch, outer, group, channel, inner].every(isLength);
}

function isLength(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** @returns NaN for an input that is missing. */
function sizeOf(input: TensorInfo | undefined): number {
  return input ? util.sizeFromShape(input.shape) : NaN;
}
