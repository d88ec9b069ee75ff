import {own} from '../../graph/json.js';
import {refusal} from '../../../util/received.js';
import {
  type Call,
  type GraphLayer,
  type GraphModel,
  modelsIn,
  type TensorRef,
  whoIs,
  withWrapped,
} from '../../graph/graph.js';
import {
  dependsOnMask,
  isMaskedInKerasOnly,
  isMaskedMerge,
  isRecurrent,
  isStepByStep,
  maskedTrouble,
  maskInKeras,
  maskInTfjs,
  returnsSequences,
} from './mask_rules.js';
import {
  executionOrder,
  type Step,
  givenMask,
  isSame,
  leaf,
  madeMask,
  type Mask,
  type Masks,
  shown,
  type Trouble,
} from './masks.js';
import {normalizationFor} from './normalizations.js';
import type {Notes} from '../../../util/warnings.js';

/*
 * tf.js passes masks on differently from Keras: layers also get masks of layers
 * executed before them; models neither take nor return masks; merging layers
 * corrupt them. This module walks a model as tf.js's executor does, and tracks
 * the masks of Keras and of tf.js side by side.
 */

/** The keyword arguments that tf.js's executor passes from layer to layer. */
interface Kwargs {
  mask?: Mask;
}

interface Setting {
  /** Embeddings that lose their masks in tf.js. */
  readonly unmasked?: readonly GraphLayer[];
  readonly isKeras3: boolean;
  readonly training: ReadonlyMap<GraphLayer, boolean>;
}

/** A mask that tf.js has disposed together with the model it was made in. */
const DISPOSED = leaf('disposed', '');

const MAKE_WITHOUT =
  'make the model without masks (mask_zero=False, no Masking) and train it anew';
const UNLIKE =
  'tf.js trains it differently from Keras, or not at all, because of masks';
const IN_LOSS =
  'Keras leaves masked positions out of the loss and the metrics of fit and ' +
  'evaluate; tf.js counts them';

/**
 * Checks that every layer whose predictions depend on a mask gets the same mask
 * in tf.js as in Keras. Removes an Embedding's mask that no layer uses in
 * Keras, where a layer in tf.js would get it. Notes layers that train
 * differently.
 *
 * @throws Error naming a layer that predicts differently.
 */
export function checkMasks(
  model: GraphModel,
  setting: Setting,
  notes: Notes,
): void {
  let found = goThrough(model, setting);
  if (found.predicting.length + found.fitting.length > 0) {
    const {used} = found;
    const unmasked = makersIn(model).filter(({name}) => !used.has(name));
    found = goThrough(model, {...setting, unmasked});
    for (const {config} of unmasked) config.mask_zero = false;
  }
  const {predicting, fitting, outputs} = found;
  const [first] = predicting;
  if (first) {
    const {layer, what, mask} = first;
    throw refusal(whoIs(layer), `${what}; ${MAKE_WITHOUT}`, 'mask', mask.maker);
  }
  for (const {layer} of fitting) notes.add(UNLIKE, whoIs(layer));
  for (const {keras} of outputs) {
    if (shown(keras)) notes.add(IN_LOSS, `${model.className} ${model.name}`);
  }
}

interface Found {
  readonly predicting: readonly Trouble[];
  readonly fitting: readonly Trouble[];
  /** The masks that layers use in Keras, by key. */
  readonly used: ReadonlySet<string>;
  readonly outputs: readonly Masks[];
}

function goThrough(model: GraphModel, setting: Setting): Found {
  const predict = new Walk(setting, false);
  const outputs = predict.through(model, [], undefined, '');
  // `fit` passes its own arguments from the start.
  const fit = new Walk(setting, true);
  fit.through(model, [], {}, '');
  const {used, trouble} = predict;
  const unlike = outputs.flatMap((masks) => masks.unlike ?? []);
  return {
    predicting: [...trouble, ...unlike],
    fitting: fit.trouble,
    used,
    outputs,
  };
}

/** The Embeddings that make masks. */
function makersIn(model: GraphModel): GraphLayer[] {
  return modelsIn(model)
    .flatMap(({layers}) => layers.flatMap(withWrapped))
    .filter(
      ({className, config}) =>
        className === 'Embedding' && config.mask_zero === true,
    );
}

/** One walk through a model, in the order of tf.js. */
class Walk {
  readonly trouble: Trouble[] = [];
  readonly used = new Set<string>();
  private readonly makers = new Map<string, Set<string>>();

  constructor(
    private readonly setting: Setting,
    private readonly isFitting: boolean,
  ) {}

  /** Returns the masks of the outputs. */
  through(
    model: GraphModel,
    inputs: readonly Masks[],
    outer: Kwargs | undefined,
    path: string,
    isInlined = false,
  ): Masks[] {
    const {steps, outputs, start} = executionOrder(model);
    const masks = new Map<string, Masks>();
    start.forEach((key, i) => masks.set(key, inputs[i] ?? {}));
    let kwargs = outer;
    let isOwn = false;
    for (const step of steps) {
      const given = step.inputs.map((key) => masks.get(key) ?? {});
      if (given.some(({tfjs}) => tfjs)) {
        kwargs ??= {};
        kwargs.mask = given[0]?.tfjs;
        isOwn = true;
      }
      const made = this.call(step, given, kwargs ?? {}, model, path);
      masks.set(step.key, made);
    }
    if (kwargs?.mask && isOwn && !isInlined) kwargs.mask = DISPOSED;
    return outputs.map((key) => masks.get(key) ?? {});
  }

  private call(
    step: Step,
    given: readonly Masks[],
    kwargs: Kwargs,
    model: GraphModel,
    path: string,
  ): Masks {
    const {layer, call, output, isInlined} = step;
    const input = `${path}${step.inputs[0] ?? ''}`;
    const keras = given.map((masks, i) =>
      this.inKeras(masks.keras, call.masks?.[i], model, path),
    );
    if (layer.model) {
      const inner = `${path}${step.key}/`;
      const outer = given.map(({tfjs}, i) => ({
        ...given[i],
        keras: keras[i],
        tfjs: isInlined ? tfjs : undefined,
      }));
      const made = this.through(layer.model, outer, kwargs, inner, isInlined);
      const masks = made[output] ?? {};
      return isInlined ? masks : {...masks, tfjs: undefined};
    }
    const unlike =
      this.unlikeAfter(layer, call, given, keras[0]) ??
      this.unlikeMerged(layer, keras);
    const masks = {keras: keras[0], tfjs: given[0]?.tfjs};
    this.compare(layer, masks, kwargs, `${path}${step.key}/`);
    const own = madeMask(layer, input);
    if (own) {
      this.remember(own, layer);
      const isOff = this.setting.unmasked?.includes(layer);
      return {keras: own, tfjs: isOff ? undefined : own};
    }
    const inTfjs = maskInTfjs(
      layer,
      call,
      given.map(({tfjs}) => tfjs),
    );
    const [mask] = given.map(({tfjs}) => tfjs).filter(Boolean);
    if (inTfjs === 'failure' && mask) {
      this.add(layer, 'tf.js fails to merge the masks of its inputs', mask);
    }
    const {isKeras3} = this.setting;
    return {
      unlike: output === 0 || !isRecurrent(layer) ? unlike : undefined,
      // In Keras, states have no mask; tf.js gives every output the first
      // one's.
      keras:
        output === 0 || !isRecurrent(layer)
          ? maskInKeras(layer, call, keras, {
              isKeras3,
              makesInside: this.makesInside(layer),
            })
          : undefined,
      tfjs: inTfjs === 'failure' ? undefined : inTfjs,
    };
  }

  /** If true, a layer wraps a layer that makes a mask, or a model that gives one out. */
  private makesInside({wrapped}: GraphLayer): boolean {
    return wrapped.some(({layer}) => {
      if (!layer.model) return madeMask(layer, '') !== undefined;
      const walk = new Walk(this.setting, this.isFitting);
      const [masks] = walk.through(layer.model, [], undefined, '');
      return masks?.keras !== undefined;
    });
  }

  /** The mask that Keras 3 wrote to the file, or else the tensor's own. */
  private inKeras(
    comes: Mask | undefined,
    ref: TensorRef | undefined,
    model: GraphModel,
    path: string,
  ): Mask | undefined {
    return ref ? givenMask(ref, comes, model, path) : comes;
  }

  /** @param masks The masks of the layer's first input. */
  private compare(
    layer: GraphLayer,
    masks: Masks,
    kwargs: Kwargs,
    path: string,
  ): void {
    const keras = shown(masks.keras);
    const tfjs = shown(kwargs.mask);
    const mask = keras ?? tfjs;
    const batch = this.batchNorm(layer);
    if (keras && (dependsOnMask(layer) || batch)) this.use(keras);
    if (layer.className === 'TimeDistributed') {
      this.everyStep(layer, mask, kwargs, path);
    } else if (isMaskedInKerasOnly(layer)) {
      if (keras) {
        this.add(layer, 'Keras skips masked steps, tf.js does not', keras);
      }
    } else if (layer.className === 'Softmax') {
      if (mask) this.add(layer, 'tf.js applies masks to it differently', mask);
    } else if (isRecurrent(layer)) {
      this.compareSame(layer, keras, tfjs);
    } else if (batch === this.mode) {
      // BatchNorm takes only its input's mask.
      this.compareSame(layer, keras, shown(masks.tfjs));
    }
  }

  /**
   * Returns the trouble with a layer's output. Masked steps may differ from
   * Keras's as long as the following layers work step by step until one skips
   * them.
   */
  private unlikeAfter(
    layer: GraphLayer,
    call: Call,
    given: readonly Masks[],
    inKeras?: Mask,
  ): Trouble | undefined {
    const mask = shown(inKeras);
    for (const {unlike} of given) {
      if (!unlike) continue;
      const isLeftOut = isRecurrent(layer) && isSame(mask, unlike.mask);
      if (isStepByStep(layer)) return unlike;
      if (!isLeftOut || unlike !== given[0]?.unlike) this.trouble.push(unlike);
    }
    const what = isRecurrent(layer) && mask && maskedTrouble(layer, call);
    if (!what) return undefined;
    const trouble = {layer, what, mask};
    const isOfSteps =
      returnsSequences(layer) && layer.className !== 'ConvLSTM2D';
    if (!isOfSteps) this.trouble.push(trouble);
    return isOfSteps ? trouble : undefined;
  }

  /** Returns the trouble with a merging layer's output at masked steps. */
  private unlikeMerged(
    layer: GraphLayer,
    masks: ReadonlyArray<Mask | undefined>,
  ): Trouble | undefined {
    const mask = masks.find(shown);
    if (!mask || !isMaskedMerge(layer, this.setting.isKeras3)) return undefined;
    masks.forEach((each) => each && this.use(each));
    const what = 'Keras merges only unmasked steps, tf.js all of them';
    const trouble = {layer, what, mask};
    // With equal masks, the results differ only at masked steps.
    if (masks.every((each) => isSame(each, mask))) return trouble;
    this.trouble.push(trouble);
    return undefined;
  }

  private compareSame(layer: GraphLayer, keras?: Mask, tfjs?: Mask): void {
    if (isSame(keras, tfjs)) return;
    const mask = keras ?? tfjs;
    if (!mask) return;
    let what = 'tf.js gives it a different mask than Keras';
    if (!keras) {
      what = 'tf.js gives it the mask of an earlier layer, Keras gives it none';
    } else if (keras.leaves.includes(keras.maker)) {
      what = 'tf.js passes masks on by itself, and cannot be given another';
    } else if (!tfjs) what = 'the mask that it gets in Keras is lost in tf.js';
    this.add(layer, what, mask);
  }

  /** TimeDistributed passes its arguments on to the layer it wraps. */
  private everyStep(
    layer: GraphLayer,
    mask: Mask | undefined,
    kwargs: Kwargs,
    path: string,
  ): void {
    const inner = layer.wrapped[0]?.layer;
    if (!inner) return;
    if (mask && dependsOnMask(inner)) {
      this.add(layer, 'Keras and tf.js mask what it wraps differently', mask);
      return;
    }
    // The second step sees the arguments that the first one left.
    for (let i = 0; i < 2; i++) {
      if (inner.model) this.through(inner.model, [], kwargs, path);
      else if (!mask) this.compare(inner, {}, kwargs, path);
    }
  }

  /**
   * Tells when a layer's output depends on a mask because it uses batch
   * statistics.
   */
  private batchNorm(layer: GraphLayer): 'predict' | 'fit' | undefined {
    const {className} = normalizationFor(layer.className) ?? {};
    const isFrozen = own(layer.config, 'trainable') === false;
    if (className !== 'BatchNorm' || isFrozen) return undefined;
    const training = this.setting.training.get(layer);
    if (training === undefined) return 'fit';
    return training ? 'predict' : undefined;
  }

  private get mode(): 'predict' | 'fit' {
    return this.isFitting ? 'fit' : 'predict';
  }

  private remember({key}: Mask, {name}: GraphLayer): void {
    const names = this.makers.get(key) ?? new Set();
    this.makers.set(key, names.add(name));
  }

  private use({leaves}: Mask): void {
    for (const key of leaves) {
      for (const name of this.makers.get(key) ?? []) this.used.add(name);
    }
  }

  private add(layer: GraphLayer, what: string, mask: Mask): void {
    this.trouble.push({layer, what, mask});
  }
}
