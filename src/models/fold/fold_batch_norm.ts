import {
  add,
  div,
  mul,
  sqrt,
  sub,
  type Tensor,
  tidy,
} from '@tensorflow/tfjs-core';
import type {layers, LayersModel} from '@tensorflow/tfjs-layers';
import {checkFunction, takeOptions} from '../../layer_support/options.js';
import {
  batchNormsOf,
  isBatchNorm,
  stateOf,
  warnOfHidden,
} from '../graph/statistics_layers.js';
import {
  checkModel,
  ensureBuilt,
  type LayerPair,
  pairLayers,
} from '../graph/live_model.js';
import {refusal} from '../../util/received.js';
import {
  createModel,
  watchVariables,
  copyMetadata,
  copyWeights,
  writeWeights,
} from '../graph/build_model.js';
import {
  type Fold,
  findFold,
  type FoldTarget,
  foldTargetOf,
} from './find_fold.js';
import {listed} from '../../util/listed.js';
import {
  type GraphLayer,
  type GraphModel,
  withoutLayers,
} from '../graph/graph.js';
import {graphOf} from '../graph/tfjs_json.js';

const WHO = 'foldBatchNorm';

/** The batch normalizations that were folded, and those that were not. */
export interface FoldReport {
  /** The paths of those that were folded. */
  readonly folded: readonly string[];
  /** Those that remain, and why. */
  readonly kept: ReadonlyArray<{
    /** The path of the layer. */
    readonly layer: string;
    /** The reason, in words. */
    readonly reason: string;
  }>;
}

/** Options of {@link foldBatchNorm}. */
export interface FoldOptions {
  /** Called with the outcome. Without it, a warning names those kept. */
  readonly onReport?: (report: FoldReport) => void;
}

/**
 * Returns a new model for prediction in which each batch normalization is
 * folded into the layer before it: with
 * `s = gamma / sqrt(moving variance + epsilon)`
 *
 * `kernel' = kernel · s` and `bias' = (bias − moving mean) · s + beta`
 *
 * so that it predicts the same with fewer steps. It is not for training: a
 * model without batch normalization learns differently. The given model stays
 * as it is.
 *
 * Folds this package's BatchNorm and tf.js's BatchNormalization after Dense,
 * Conv1D, Conv2D, Conv3D, Conv2DTranspose, Conv3DTranspose, DepthwiseConv2D and
 * SeparableConv2D, with or without a bias, also inside TimeDistributed, in
 * sequential, functional and nested models. A normalization is kept if an
 * activation or another layer stands between, if the layer before has more than
 * one use, if its axis is not that of the kernel's outputs, or if it predicts
 * with batch statistics.
 *
 * ```js
 * const model = tf.sequential();
 * model.add(tf.layers.dense({units: 8, inputShape: [4]}));
 * model.add(batchNorm());
 * model.add(tf.layers.activation({activation: 'relu'}));
 * const folded = foldBatchNorm(model, {
 *   onReport: ({folded, kept}) => console.log(folded.length, kept),
 * });
 * folded.predict(tf.ones([1, 4])).print();
 * ```
 *
 * @param options `onReport`: called with `{folded, kept}`, the paths of the
 *   folded layers and `{layer, reason}` of the others. Without it, a warning
 *   names the others.
 * @returns An uncompiled model. The caller disposes it.
 * @throws Error if an option is unknown, `onReport` is not a function, or the
 *   model has not been built.
 */
export function foldBatchNorm(
  model: LayersModel,
  options: FoldOptions = {},
): LayersModel {
  checkModel(model, WHO);
  const {onReport = warnOfKept} = takeOptions(
    options,
    {onReport: checkFunction},
    WHO,
  );
  ensureBuilt(model);
  warnOfHidden(model, WHO);
  const folding = new Folding();
  const newVariables = watchVariables();
  try {
    const folded = createModel(model, folding.fold(graphOf(model)), WHO);
    folding.fill(folded, model);
    copyMetadata(model, folded);
    onReport(folding.report(model));
    return folded;
  } catch (error) {
    for (const variable of newVariables()) variable.dispose();
    throw error;
  }
}

class Folding {
  /** By the layer that a normalization is folded into. */
  private readonly folds = new Map<layers.Layer, Fold>();
  /** The wrappers around these layers. */
  private readonly wrappers = new Set<layers.Layer>();
  /** The paths of the folded batch normalizations. */
  private readonly folded = new Map<layers.Layer, string>();
  private readonly kept = new Map<
    layers.Layer,
    {layer: string; reason: string}
  >();

  /** Returns a model without the normalizations that can be folded. */
  fold(model: GraphModel, prefix = ''): GraphModel {
    /** The layers with a kernel, by the names of those folded into them. */
    const gone = new Map<string, GraphLayer>();
    const models = new Map<GraphLayer, GraphModel>();
    for (const layer of model.layers) {
      const {live, name, model: inner} = layer;
      const path = `${prefix}${name}`;
      if (inner) models.set(layer, this.fold(inner, `${path}/`));
      if (!live || !isBatchNorm(live)) continue;
      const found = findFold(live, layer, model);
      if ('reason' in found) {
        this.kept.set(live, {layer: path, reason: found.reason});
        continue;
      }
      this.folded.set(live, path);
      this.folds.set(found.kernel, found);
      if (found.wrapper) this.wrappers.add(found.wrapper);
      gone.set(name, found.into);
    }
    const into = new Set(gone.values());
    const layers = model.layers.map((layer) => ({
      ...(into.has(layer) ? withBias(layer) : layer),
      ...(layer.model && {model: models.get(layer)}),
    }));
    return withoutLayers({...model, layers}, gone);
  }

  /** Gives weights to a model that was built without the folded layers. */
  fill(folded: LayersModel, model: LayersModel): void {
    const gone = new Set(this.folded.keys());
    for (const pair of pairLayers(model, folded, WHO, gone)) {
      const {layer, rebuilt, path} = pair;
      checkSameClass(pair);
      if (this.wrappers.has(layer)) continue;
      const fold = this.folds.get(layer);
      if (fold) fillFolded(rebuilt, fold);
      else copyWeights(layer, rebuilt, `${WHO}: ${path}`);
    }
  }

  report(model: LayersModel): FoldReport {
    const {folded, kept} = this;
    for (const {layer, path} of batchNormsOf(model)) {
      if (folded.has(layer) || kept.has(layer)) continue;
      const reason = 'it is inside another layer, which is rebuilt as it is';
      kept.set(layer, {layer: path, reason});
    }
    return {folded: [...folded.values()], kept: [...kept.values()]};
  }
}

/**
 * tf.js builds layers by class name, and another class may have taken the name.
 */
function checkSameClass({layer, rebuilt, path}: LayerPair): void {
  if (layer.constructor === rebuilt.constructor) return;
  throw refusal(
    WHO,
    `another class has taken the name of ${path}'s class; if that is ` +
      `this package's, register({override: true}) takes the name back`,
    'className',
    layer.getClassName(),
  );
}

/**
 * Adds a bias and drops the kernel's constraint, which was not meant for a
 * folded kernel. In a wrapper, does so to the layer inside.
 */
function withBias(layer: GraphLayer): GraphLayer {
  const {config, wrapped} = layer;
  if (wrapped.length > 0) {
    const inner = wrapped.map((each) => ({
      ...each,
      layer: withBias(each.layer),
    }));
    return {...layer, wrapped: inner};
  }
  const constraints = Object.keys(config).filter((key) =>
    key.endsWith('Constraint'),
  );
  const none = Object.fromEntries(constraints.map((key) => [key, null]));
  return {...layer, config: {...config, ...none, useBias: true}};
}

function fillFolded(target: layers.Layer, {norm, kernel}: Fold): void {
  const kind = foldTargetOf(kernel);
  if (kind === undefined) return;
  tidy(() => {
    writeWeights(target, foldedWeights(kind, norm, kernel));
  });
}

function foldedWeights(
  kind: FoldTarget,
  norm: Fold['norm'],
  kernel: layers.Layer,
): Tensor[] {
  const {epsilon, gamma, beta, average} = stateOf(norm);
  const {mean, variance} = average.read();
  const weights = kernel.weights.map((weight) => weight.read());
  const bias = kernel.getConfig().useBias === true ? weights.pop() : undefined;
  const deviation = sqrt(add(variance, epsilon));
  const factors = div(gamma?.read() ?? 1, deviation);
  const scaled = mul(sub(bias ?? 0, mean), factors);
  const newBias = add(scaled, beta?.read() ?? 0);
  return [...kind.scale(weights, factors), newBias];
}

function warnOfKept({kept}: FoldReport): void {
  if (kept.length === 0) return;
  const reasons = kept.map(({layer, reason}) => `${layer} (${reason})`);
  console.warn(`foldBatchNorm: not folded: ${listed(reasons, '; ')}`);
}
