import {
  layers as tfLayers,
  type LayersModel,
  type Shape,
} from '@tensorflow/tfjs-layers';
import {layersOf} from '../../graph/walk_layers.js';
import {type Json} from '../../graph/json.js';
import {isObject} from '../../../util/is_object.js';

/*
 * tf.js resolves a length of -1 in a Reshape only at run time; until then it
 * builds the next layers for a length of -1, which fails for most. Keras knows
 * the length from the start.
 */

const UNKNOWN = -1;

/** Replaces a Reshape while a model is tried, and records its output shape. */
export class TrialReshape extends tfLayers.Layer {
  static readonly className = 'TfjsNormalizationTrialReshape';
  readonly found = new Map<string, readonly unknown[]>();
  private readonly targetShape: readonly number[];

  constructor(args: {targetShape: readonly number[]}) {
    super(args as object);
    this.targetShape = args.targetShape;
  }

  override computeOutputShape(inputShape: Shape): Shape {
    const [batch = null, ...lengths] = inputShape;
    const shape = resolved(this.targetShape, lengths);
    this.found.set(String(shape), shape);
    return [batch, ...shape];
  }
}

/** If true, a layer of tf.js's model.json has a length to resolve. */
export function isOpenReshape(className: unknown, config: unknown): boolean {
  if (className !== 'Reshape' || !isObject(config)) return false;
  const {target_shape: shape} = config;
  return Array.isArray(shape) && shape.includes(UNKNOWN);
}

/** Gives each Reshape of a model the lengths found in the trial. */
export function closeReshapes(topology: object, trial: LayersModel): void {
  const found = new Map<unknown, TrialReshape>();
  for (const {layer} of layersOf(trial)) {
    if (layer instanceof TrialReshape) found.set(layer.name, layer);
  }
  const visit = (json: unknown): void => {
    if (typeof json !== 'object' || json === null) return;
    const {class_name: className, config} = json as Json;
    Object.values(json).forEach(visit);
    if (!isOpenReshape(className, config)) return;
    const [shape, ...others] =
      found.get((config as Json).name)?.found.values() ?? [];
    // A Reshape whose uses differ stays open.
    if (shape && others.length === 0) (config as Json).target_shape = shape;
  };
  if (found.size > 0) visit(topology);
}

function resolved(
  target: readonly number[],
  lengths: ReadonlyArray<number | null>,
): number[] {
  const size = lengths.reduce<number>((n, length) => n * (length ?? NaN), 1);
  const known = target.reduce((n, length) => n * Math.abs(length), 1);
  const rest = size / known;
  // tf.js refuses any other length that cannot be resolved.
  return target.map((length) =>
    length === UNKNOWN && Number.isInteger(rest) ? rest : length,
  );
}
