import {refusal} from '../../../util/received.js';
import {type GraphModel, withWrapped} from '../../graph/graph.js';
import {normalizationFor} from '../translate/normalizations.js';
import type {StoredWeight} from './stored_weights.js';
import {numberedWeights} from './numbered_weights.js';
import type {Match, Target} from './weight_targets.js';

/**
 * Folders in files that hold the state of random generators or of an optimizer.
 */
const OTHER_STATE = /^(seed_generator\w*|optimizer)$/;

/**
 * Matches each weight of a file to a weight of the model: by the name of its
 * layer, whatever models or cells are named around it, or by its place, where
 * Keras 3 numbers the weights.
 *
 * @param options `who`: the first word of an error. `tooFew`: the error if weights are
 *   missing. Defaults to one that names them.
 * @throws Error naming a weight that is missing, unused, or of another shape.
 */
export function matchWeights(
  stored: readonly StoredWeight[],
  targets: readonly Target[],
  model: GraphModel,
  {who, tooFew}: {who: string; tooFew?: Error | undefined},
): Match[] {
  const isNumbered = stored.some(({spec}) =>
    /(^|\/)vars\/\d+$/.test(spec.name),
  );
  // Numbered names contain no layer names.
  const named = isNumbered ? [] : targets;
  const given = stored.filter(({spec}) => !isOtherState(spec.name, named));
  const matches = isNumbered
    ? numberedWeights(given, targets, model, who)
    : namedWeights(given, targets, model, who);
  const found = new Set(matches.map(({target}) => target));
  const missing = targets.filter((target) => !found.has(target));
  if (missing.length > 0) {
    if (tooFew) throw tooFew;
    const what = `${missing.length} of ${targets.length} weights are missing`;
    const names = missing.slice(0, 5).map(({name}) => name);
    throw refusal(who, what, 'missing', names);
  }
  for (const match of matches) checkFit(match, who);
  return matches;
}

function namedWeights(
  given: readonly StoredWeight[],
  targets: readonly Target[],
  model: GraphModel,
  who: string,
): Match[] {
  const index = new Map<string, Target[]>();
  for (const target of targets) {
    for (const name of namesInKeras(target)) {
      index.set(name, [...(index.get(name) ?? []), target]);
    }
  }
  const names = namesWithin(model, given);
  const isRepeated = (name: string): boolean =>
    names.indexOf(name) !== names.lastIndexOf(name);
  const taken = new Set<Target>();
  return given.map((stored, i) => {
    const {[i]: name = ''} = names;
    const candidates = candidatesFor(name, index, isRepeated(name), who);
    const target = candidates.find((candidate) => !taken.has(candidate));
    if (!target) {
      const what = 'the file has a weight that no layer takes';
      throw refusal(who, what, 'name', stored.spec.name);
    }
    taken.add(target);
    return {stored, target};
  });
}

/**
 * The names of weights within their model. Keras 3 begins those of a sequential model
 * with its own name, which may be a layer's, too.
 */
function namesWithin(
  {name: own, isSequential}: GraphModel,
  given: readonly StoredWeight[],
): string[] {
  const names = given.map(({spec}) => spec.name);
  const within = names.map((name) => {
    const [first, ...rest] = name.split('/');
    return first === own && rest.length > 1 ? rest.join('/') : undefined;
  });
  return isSequential && !within.includes(undefined)
    ? (within as string[])
    : names;
}

/**
 * Returns the weights whose layer's name occurs in a name, with the names of
 * the models around it before it. The name that begins first wins, then the
 * longest: parts after a layer's name are inside the layer. Ties go to the
 * weights with the most surrounding models named, in the model's order: of
 * weights with the same name, the first is the first layer's.
 */
function candidatesFor(
  name: string,
  index: ReadonlyMap<string, Target[]>,
  isRepeated: boolean,
  who: string,
): Target[] {
  const parts = partsOf(name);
  const last = parts.pop() ?? '';
  const placed = (index.get(last) ?? []).flatMap((target) => {
    const run = longestRun(parts, target);
    return run ? [{target, ...run}] : [];
  });
  const start = Math.min(...placed.map((each) => each.start));
  const first = placed.filter((each) => each.start === start);
  const length = Math.max(...first.map((each) => each.length));
  const longest = first.filter((each) => each.length === length);
  // Only versions without slashes in names write the models around a layer.
  const own = Math.max(...longest.map((each) => each.own));
  const all = longest
    .filter((each) => each.own === own)
    .map(({target}) => target);
  const score = ({around, layer, name: full}: Target): number => {
    const within = full.slice(layer.newName.length).split('/');
    const known = [...around, ...within].filter((part) =>
      hasRun(parts, part.split('/')),
    );
    // Repeated names come from Keras 2, which names no surrounding models.
    const missed = isRepeated ? 0 : around.length + within.length;
    return 2 * known.length - missed;
  };
  const best = Math.max(...all.map(score));
  const equal = all.filter((target) => score(target) === best);
  const isTold = equal.every((t) => t.isTrainable === equal[0]?.isTrainable);
  if (equal.length <= 1 || isTold) return equal;
  // tf.js writes trainable weights first, so the order does not tell them
  // apart.
  throw refusal(who, 'the file has two weights of the same name', 'name', name);
}

function checkFit({stored: {spec, size}, target}: Match, who: string): void {
  const isSame =
    spec.shape.length === target.shape.length &&
    spec.shape.every((length, i) => length === target.shape[i]);
  const expected = target.shape.reduce((product, n) => product * n, 1);
  // Keras stores weights over several axes in other shapes, in the same order.
  const {className, wrapped} = target.layer;
  const isNorm = normalizationFor(className) != null && wrapped.length === 0;
  const isReshaped = isNorm && target.shape.length > 1 && size === expected;
  if ((isSame || isReshaped) && spec.dtype === target.dtype) return;
  const what =
    `the weight ${target.name} must be ${target.dtype} of shape ` +
    `[${target.shape.join(', ')}]`;
  throw refusal(who, what, spec.name, `${spec.dtype} [${spec.shape.join()}]`);
}

/**
 * Tells if a weight is the state of something other than a layer. A layer, or a model
 * around one, may have such a name itself.
 */
function isOtherState(name: string, targets: readonly Target[]): boolean {
  const folders = partsOf(name).slice(0, -1);
  const states = folders.filter((part) => OTHER_STATE.test(part));
  return (
    states.length > 0 &&
    !targets.some(({layer, around}) => {
      const own = partsOf(layer.name);
      const path = [...around.flatMap(partsOf), ...own];
      return states.some((part) => path.includes(part)) && hasRun(folders, own);
    })
  );
}

function partsOf(name: string): string[] {
  return name.replace(/:0$/, '').split('/');
}

/**
 * Finds a layer's own name, and as many names around it as come right before.
 */
function longestRun(
  parts: readonly string[],
  {layer, around}: Target,
): {start: number; length: number; own: number} | undefined {
  const own = partsOf(layer.name).length;
  for (let i = 0; i <= around.length; i++) {
    const path = [...around.slice(i), layer.name].flatMap((n) => n.split('/'));
    const start = placeOfRun(parts, path);
    if (start >= 0) return {start, length: path.length, own};
  }
  return undefined;
}

/** If true, the parts occur in the list consecutively. */
function hasRun(list: readonly string[], parts: readonly string[]): boolean {
  return placeOfRun(list, parts) >= 0;
}

function placeOfRun(list: readonly string[], parts: readonly string[]): number {
  return list.findIndex((_, i) =>
    parts.every((part, j) => part === list[i + j]),
  );
}

/** Keras 3 uses the same names for the weights of all convolutions. */
function namesInKeras({name, layer}: Target): string[] {
  const last = name.slice(name.lastIndexOf('/') + 1);
  const isDepthwise = withWrapped(layer).some(
    ({className}) => className === 'DepthwiseConv2D',
  );
  return isDepthwise && last === 'depthwise_kernel' ? [last, 'kernel'] : [last];
}
