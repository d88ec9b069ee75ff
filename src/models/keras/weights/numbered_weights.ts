import {refusal} from '../../../util/received.js';
import type {GraphLayer, GraphModel} from '../../graph/graph.js';
import {normalizationFor} from '../translate/normalizations.js';
import type {StoredWeight} from './stored_weights.js';
import type {Match, Target} from './weight_targets.js';

/** The place of a numbered weight: its layer, and its order there. */
interface Place {
  readonly layer: GraphLayer;
  readonly order: readonly number[];
}

/** Attributes that hold other layers, in the order of their weights. */
const ATTRIBUTES: Readonly<Record<string, number>> = {
  cell: 0,
  layer: 0,
  forward_layer: 0,
  backward_layer: 1,
};

/** The place of a wrapper's own weights: after those of the layers inside. */
const OWN = 2;

const CONTAINERS: readonly string[] = [
  'layers',
  'cells',
  '_layer_checkpoint_dependencies',
];

/**
 * Matches names such as `layers/sequential/layers/dense_1/vars/0`: a layer is
 * given by its class in snake case, counted within its model.
 *
 * @param who The first word of an error.
 * @throws Error naming a weight that is in no layer, or a layer with fewer
 *   weights.
 */
export function numberedWeights(
  given: readonly StoredWeight[],
  targets: readonly Target[],
  model: GraphModel,
  who: string,
): Match[] {
  const byLayer = new Map<GraphLayer, Array<Place & {stored: StoredWeight}>>();
  for (const stored of given) {
    const place = placeOf(stored.spec.name, model, who);
    const others = byLayer.get(place.layer) ?? [];
    byLayer.set(place.layer, [...others, {...place, stored}]);
  }
  return [...byLayer].flatMap(([layer, places]) => {
    const expected = targets.filter((target) => target.layer === layer);
    const sorted = withoutRepeated(layer, places).sort((a, b) =>
      compare(a.order, b.order),
    );
    if (sorted.length > expected.length) {
      const what = `the layer ${layer.name} takes ${expected.length} weights`;
      const names = sorted.map(({stored}) => stored.spec.name);
      throw refusal(who, what, 'weights', names);
    }
    return expected.slice(0, sorted.length).flatMap((target, i) => {
      const stored = sorted[i]?.stored;
      return stored ? [{stored, target}] : [];
    });
  });
}

/**
 * Leaves out the kernel that Keras 3 lists twice for its SpectralNormalization: as the
 * layer's inside, and before the wrapper's own weight.
 */
function withoutRepeated<P extends Place>(
  {className}: GraphLayer,
  places: readonly P[],
): P[] {
  const own = places.filter(({order: [first]}) => first === OWN);
  const isRepeated =
    normalizationFor(className)?.className === 'SpectralNormalization' &&
    own.length > 1;
  const last = Math.max(...own.map(({order: [, index = 0]}) => index));
  return places.filter(
    ({order: [first, index]}) => !isRepeated || first !== OWN || index === last,
  );
}

function placeOf(name: string, model: GraphModel, who: string): Place {
  const unknown = (): Error =>
    refusal(who, 'the file has a weight that no layer takes', 'name', name);
  let siblings: readonly GraphLayer[] = model.layers;
  let layer: GraphLayer | undefined;
  const order: number[] = [];
  const parts = name.split('/');
  for (let i = 0; i < parts.length; i += 1) {
    const part = parts[i] ?? '';
    if (CONTAINERS.includes(part)) {
      i += 1;
      const position = numberedNames(siblings.map(classNameOf)).indexOf(
        parts[i] ?? '',
      );
      const found = siblings[position];
      if (!found) throw unknown();
      // Inside a wrapper, the wrapper is the layer to find.
      if (layer === undefined || layer.model) layer = found;
      else order.push(position);
      siblings = found.model?.layers ?? innermost(found);
    } else if (part === 'vars') {
      if (order.length === 0) order.push(OWN);
      order.push(Number(parts[i + 1]));
      i += 1;
    } else if (part === 'layer' && layer?.wrapped[0]?.layer.model) {
      layer = layer.wrapped[0].layer;
      siblings = layer.model?.layers ?? [];
    } else {
      const index = ATTRIBUTES[part];
      if (index === undefined) throw unknown();
      order.push(index);
    }
  }
  if (layer === undefined || layer.model) throw unknown();
  return {layer, order};
}

/** The innermost cells of a recurrent layer. */
function innermost({wrapped}: GraphLayer): readonly GraphLayer[] {
  const [first] = wrapped;
  if (first === undefined) return [];
  return first.index === undefined
    ? innermost(first.layer)
    : wrapped.map(({layer}) => layer);
}

function classNameOf({className}: GraphLayer): string {
  return className;
}

/**
 * Returns the names that the layers of a model, or the cells of a layer, have in Keras
 * 3's files of weights.
 *
 * @param classNames Their class names in Keras, in order.
 */
export function numberedNames(classNames: readonly string[]): string[] {
  const used = new Map<string, number>();
  return classNames.map((className) => {
    const base = snakeCase(className.slice(className.lastIndexOf('>') + 1));
    const count = used.get(base) ?? 0;
    used.set(base, count + 1);
    return count === 0 ? base : `${base}_${count}`;
  });
}

function snakeCase(name: string): string {
  return name
    .replace(/\W+/g, '')
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();
}

function compare(a: readonly number[], b: readonly number[]): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
