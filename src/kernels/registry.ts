import {
  backend,
  env,
  getBackend,
  getKernel,
  type KernelConfig,
  type KernelFunc,
  registerKernel,
  type Tensor,
  type TensorInfo,
  tidy,
} from '@tensorflow/tfjs-core';
import {BACKENDS} from './backends/index.js';
import {checkInputs} from './check_inputs.js';
import {
  applyStatistics,
  movingStatistics,
  normalize,
  normalizeGrad,
} from './composed.js';
import {
  APPLY_STATISTICS,
  type Backend,
  type Fused,
  type Implementation,
  type Kept,
  MOVING_STATISTICS,
  NORMALIZE,
  NORMALIZE_GRAD,
  type NormalizeAttributes,
  type NormalizeGradAttributes,
  packGradients,
  required,
  unpackGradInputs,
  unpackParameters,
  viewSize,
} from './contract.js';
import {withFlagOff} from './tfjs_private.js';
import {reasonOf} from '../util/reason_of.js';
import {refusal} from '../util/received.js';

/** The flag of `tf.env()` that switches fused kernels off. */
const FLAG = 'NORMALIZATION_FUSED';

env().registerFlag(FLAG, () => true);

const KNOWN = new Map(BACKENDS.map((each) => [each.name, each]));

/** A backend that is removed takes its own with it. */
const made = new WeakMap<object, Fused<TensorInfo>>();

const NONE: Fused<TensorInfo> = {};

/**
 * The fused kernels of a backend instance. There are none if they are switched off, if
 * this package has none for such a backend, or if they cannot be made; one warning then
 * says why.
 */
export function fusedFor(name: string, instance: object): Fused<TensorInfo> {
  if (!env().getBool(FLAG)) return NONE;
  const known = made.get(instance);
  if (known !== undefined) return known;
  const fused = makeFused(name, instance);
  made.set(instance, fused);
  return fused;
}

/** Tells if the backend in use takes a view with `perOuter`, as composed kernels do. */
export function takesPerOuter(): boolean {
  const name = getBackend();
  return (
    descriptionOf(name).takesPerOuter ?? fusedFor(name, backend()) === NONE
  );
}

function descriptionOf(name: string): Backend {
  return KNOWN.get(name) ?? {name};
}

function makeFused(name: string, instance: object): Fused<TensorInfo> {
  try {
    return descriptionOf(name).make?.(instance) ?? NONE;
  } catch (error) {
    console.warn(
      `tfjs-normalization: the backend ${name} computes with tfjs's own ` +
        `operations, which is slower; the kernels made for it cannot be used ` +
        `here: ${reasonOf(error)}`,
    );
    return NONE;
  }
}

/**
 * Makes sure that the backend in use has a kernel of this name: its own if it brings
 * one, else one that is fused where it can be and composed from core ops elsewhere. So
 * an op has one way to go, whatever runs.
 */
export function ensureKernel(kernelName: string): void {
  const backendName = getBackend();
  if (findKernel(kernelName, backendName) !== undefined) return;
  const kernelFunc = fusedOrComposed(kernelName, backendName);
  registerKernel({kernelName, backendName, kernelFunc});
}

/** tfjs types the kernel as always there. */
function findKernel(name: string, backend: string): KernelConfig | undefined {
  return getKernel(name, backend);
}

/** Calls a kernel by name with packed inputs; undefined if it cannot. */
type Call = <T extends TensorInfo>(
  kernels: Fused<T>,
  inputs: readonly T[],
  attributes: object,
) => T[] | undefined;

const CALLS: Readonly<Record<string, Call>> = {
  [NORMALIZE]: (kernels, [x, ...parameters], attributes) => {
    const attrs = attributes as NormalizeAttributes;
    const outputs = kernels.normalize?.(
      required(x),
      unpackParameters(parameters, attrs),
      attrs,
    );
    if (outputs === undefined) return undefined;
    const {y, mean, variance, kept} = outputs;
    if (kept === undefined) return [y, mean, variance];
    keptBy.set(required(kept.tensors[0]).dataId, kept);
    return [y, mean, variance, ...kept.tensors];
  },

  [NORMALIZE_GRAD]: (kernels, inputs, attributes) => {
    const attrs = attributes as NormalizeGradAttributes;
    const known = unpackGradInputs(inputs, attrs);
    const outputs = kernels.normalizeGrad?.(
      {...known, kept: recall(known.kept?.tensors ?? [])},
      attrs,
    );
    return outputs && packGradients(outputs);
  },

  [APPLY_STATISTICS]: (kernels, inputs, attributes) => {
    const attrs = attributes as NormalizeAttributes;
    const [x, mean, variance, ...parameters] = inputs;
    const y = kernels.applyStatistics?.(
      required(x),
      required(mean),
      required(variance),
      unpackParameters(parameters, attrs),
      attrs,
    );
    return y && [y];
  },

  [MOVING_STATISTICS]: (kernels, inputs) => {
    const [movingMean, movingVariance, mean, variance, rate] = inputs;
    return kernels.movingStatistics?.({
      movingMean: required(movingMean),
      movingVariance: required(movingVariance),
      mean: required(mean),
      variance: required(variance),
      rate: required(rate),
    });
  },
};

/** The tape carries tensors alone. Here is what they were, by the data of the first. */
const keptBy = new WeakMap<object, Kept<TensorInfo>>();

/** @throws Error for tensors that no Normalize has kept, or not all of them. */
function recall<T extends TensorInfo>(
  tensors: readonly T[],
): Kept<T> | undefined {
  const [first] = tensors;
  if (first === undefined) return undefined;
  const kept = keptBy.get(first.dataId);
  const isWhole =
    kept?.tensors.length === tensors.length &&
    tensors.every(({dataId}, i) => dataId === kept.tensors[i]?.dataId);
  if (isWhole) return {tag: kept.tag, tensors};
  throw refusal(
    NORMALIZE_GRAD,
    `inputs beyond gamma must be those that ${NORMALIZE} has ` +
      'kept, all of them in order',
    'kept',
    tensors.length,
  );
}

// The inputs of a kernel are tensors, whatever tfjs's types promise.
const COMPOSED = {
  normalize,
  applyStatistics,
  normalizeGrad,
  movingStatistics,
} satisfies Implementation<Tensor> as unknown as Implementation<TensorInfo>;

function fusedOrComposed(kernelName: string, backendName: string): KernelFunc {
  const call = required(CALLS[kernelName]);
  const {hostFlag, takesPerOuter} = descriptionOf(backendName);
  return ({inputs, attrs, backend}) => {
    const list = Object.values(inputs).map(required);
    const attributes = attrs ?? {};
    checkInputs(kernelName, list, attributes);
    const fused = fits(list, attributes, takesPerOuter)
      ? call(fusedFor(backendName, backend), list, attributes)
      : undefined;
    // Core ops inside a kernel are off the tape; the tidy leaves only its outputs. On the
    // device they round alike, wherever the weights lie.
    return (
      fused ??
      withFlagOff(hostFlag, () =>
        tidy((): never => call(COMPOSED, list, attributes) as never),
      )
    );
  };
}

/** An empty tensor is the composed kernels' business, and so are other types. */
function fits(
  inputs: readonly TensorInfo[],
  attributes: object,
  perOuter: true | undefined,
): boolean {
  const {view} = attributes as Partial<NormalizeAttributes>;
  return (
    (view === undefined ||
      (viewSize(view) > 0 && (perOuter ?? !view.perOuter))) &&
    inputs.every(({dtype}) => dtype === 'float32')
  );
}
