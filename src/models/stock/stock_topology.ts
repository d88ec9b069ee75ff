import type {layers, LayersModel, LayerVariable} from '@tensorflow/tfjs-layers';
import {hasOwn} from '../../layer_support/options.js';
import {
  checkOwnClassName,
  classOf,
  descriptionOf,
  isOwnClassName,
  isOwnLayer,
} from '../../layer_support/registration.js';
import {type GraphLayer, type GraphModel, mapLayers} from '../graph/graph.js';
import {camelCase, type Json, own, snakeCase} from '../graph/json.js';
import {refusal} from '../../util/received.js';
import type {Notes} from '../../util/warnings.js';
import {stockClasses} from '../patch/stock_layers.js';
import {layersOf} from '../graph/live_model.js';
import {
  type LayerDescription,
  optionsAbout,
  optionsOf,
  stockParametersOf,
} from '../../layer_support/description.js';
import {isWithoutEffect} from '../../layer_support/foreign_config.js';

/**
 * Converts a model to stock tf.js's layers.
 *
 * @param graph The model, with its live layers, which give the classes and ranks.
 * @throws Error naming the layer and the option that stock does not have.
 */
export function inStock(
  graph: GraphModel,
  {lossy, notes, who}: {lossy: boolean; notes: Notes; who: string},
): GraphModel {
  return mapLayers(graph, (layer, path) => {
    const {live, className} = layer;
    if (live && !isOwnLayer(live)) {
      refuseTaken(layer, `${who}: ${path}`);
      return layer;
    }
    const rank = live && rankOf(live);
    const become = stockLayer(layer, path, {rank, lossy, notes});
    const taken =
      become && classOf(become.className) !== stockClasses()[become.className];
    if (taken) {
      const what =
        `another class has taken tf.js's name ${become.className}, and ` +
        `${className} ${path} would become a layer of that class`;
      throw refusal(who, what, 'className', become.className);
    }
    return {...layer, ...become};
  });
}

/**
 * Another class may have taken the name of one of this package since the model
 * was made: then the JSON does not tell whose layer it describes.
 */
function refuseTaken({className, config}: GraphLayer, who: string): void {
  const isLikeOurs =
    stockWeightsOf(className) !== undefined &&
    ['axis', 'epsilon', 'center', 'scale'].every((key) => hasOwn(config, key));
  if (isLikeOurs) checkOwnClassName(className, who);
}

/** Returns the weights of a model that stock tf.js does not have. */
export function weightsWithoutStock(model: LayersModel): Set<LayerVariable> {
  return new Set(
    layersOf(model).flatMap(({layer}) => {
      const kept = isOwnLayer(layer)
        ? stockWeightsOf(layer.getClassName())
        : undefined;
      return kept === undefined
        ? []
        : layer.weights.filter(
            ({originalName}) =>
              !kept.includes(originalName.replace(/.*\//, '')),
          );
    }),
  );
}

/** tfjs's types do not say that a layer may have none. */
function rankOf({inputSpec}: Partial<layers.Layer>): number | undefined {
  return inputSpec?.[0]?.ndim ?? undefined;
}

/** The facts about a layer beyond its config, and the `lossy` option. */
export interface Situation {
  /** The rank of its input. */
  readonly rank: number | undefined;
  /**
   * If true, drops options that stock does not have instead of refusing them.
   */
  readonly lossy: boolean;
  readonly notes: Notes;
}

/** The keys that every layer of tf.js has. */
const COMMON: readonly string[] = [
  'name',
  'trainable',
  'batch_input_shape',
  'dtype',
];

/** Values of the other keys that stock tf.js does not need. */
const NEUTRAL: readonly unknown[] = [null, undefined, false, 'auto'];

/** Warning for a layer that always uses its moving statistics. */
const OF_BATCHES =
  'stock tf.js predicts the same, and trains with the statistics of batches';

/** The ranks that stock's own normalization is written for. */
const RANKS: readonly number[] = [2, 3, 4];

/**
 * Returns the names of a layer's weights in stock tf.js, if it has a
 * counterpart.
 */
export function stockWeightsOf(
  className: string,
): readonly string[] | undefined {
  const description = descriptionOf(className);
  if (description?.counterpart === undefined) return undefined;
  return stockParametersOf(description).map(({name}) => name);
}

/** The keys of a layer's config that stock tf.js knows. */
function stockKeysOf(description: LayerDescription): string[] {
  const {counterpart} = description;
  const own = Object.entries(optionsOf(description))
    .filter(([, {ours}]) => ours === undefined)
    .map(([name]) => name);
  const about = stockParametersOf(description)
    .flatMap((parameter) => Object.keys(optionsAbout(parameter)))
    .filter(
      (name) =>
        counterpart?.constraints === true || !name.endsWith('Constraint'),
    );
  return [...COMMON, ...[...own, ...about].map(snakeCase)];
}

/**
 * Translates a layer of this package to stock tf.js; undefined for any other
 * layer.
 *
 * @throws Error naming the layer and the option that stock does not have.
 */
export function stockLayer(
  {className, config}: Pick<GraphLayer, 'className' | 'config'>,
  path: string,
  situation: Situation,
): {className: string; config: Json} | undefined {
  const description = descriptionOf(className);
  const who = `${description?.label ?? className} ${path}`;
  const counterpart = description?.counterpart;
  if (description === undefined || counterpart === undefined) {
    if (!isOwnClassName(className)) return undefined;
    const what = 'stock tf.js has no such layer';
    throw refusal(who, what, 'class_name', className);
  }
  const {lossy, notes, rank} = situation;
  const lack = (option: string, what: string): void => {
    const name = camelCase(option);
    if (!lossy) throw refusal(who, what, name, own(config, option));
    notes.add('lost, as stock tf.js does not have it', `${who} (${name})`);
  };
  checkAxes(className, config, rank, lack, who);
  const keys = stockKeysOf(description);
  const options = optionsOf(description);
  for (const [key, value] of Object.entries(config)) {
    if (keys.includes(key) || NEUTRAL.includes(value)) continue;
    if (isWithoutEffect(description, camelCase(key), value, config)) continue;
    const {default: usual, ours} = options[camelCase(key)] ?? {};
    if (key === 'statistics' && value === 'moving') {
      if (own(config, 'trainable') !== false) notes.add(OF_BATCHES, who);
      continue;
    }
    const what = `stock tf.js has no such ${camelCase(key)}`;
    // No stock layer could load its weights.
    if (ours === 'weights') throw refusal(who, what, camelCase(key), value);
    if (ours !== 'training') lack(key, what);
    else if (value !== usual) {
      const topic = 'left out, as it only matters in training';
      notes.add(topic, `${who} (${camelCase(key)})`);
    }
  }
  noteTraining(config, who, notes);
  const kept = keys.filter((key) => hasOwn(config, key));
  return {
    className: counterpart.className,
    config: {
      ...Object.fromEntries(kept.map((key) => [key, config[key]])),
      axis: plainAxis(config, rank),
    },
  };
}

function checkAxes(
  className: string,
  config: Json,
  rank: number | undefined,
  lack: (option: string, what: string) => void,
  who: string,
): void {
  if (rank !== undefined && !RANKS.includes(rank)) {
    lack('axis', `stock tf.js normalizes inputs of rank 2 to 4, not ${rank}`);
  }
  if (className !== 'BatchNorm') return;
  const axis = plainAxis(config, rank);
  if (Array.isArray(axis)) {
    // No stock layer could load its weights.
    const what = 'stock tf.js has batch normalization of only one axis';
    throw refusal(who, what, 'axis', axis);
  }
  if (rank !== undefined && axis !== -1 && axis !== rank - 1) {
    lack(
      'axis',
      'stock tf.js computes batch normalization correctly only on the last axis',
    );
  }
}

/** In ascending order, as the weights here; a single axis as a number. */
function plainAxis(config: Json, rank: number | undefined): unknown {
  const axis = own(config, 'axis') ?? -1;
  if (!Array.isArray(axis)) return axis;
  const list = (axis as number[]).map((a) =>
    a < 0 && rank !== undefined ? a + rank : a,
  );
  return list.length === 1 ? list[0] : list.sort((a, b) => a - b);
}

function noteTraining(config: Json, who: string, notes: Notes): void {
  for (const key of ['center', 'scale']) {
    if (own(config, key) !== false) continue;
    notes.add('stock tf.js predicts with it and cannot train it', who);
  }
}
