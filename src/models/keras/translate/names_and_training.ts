import {
  type GraphLayer,
  type GraphModel,
  modelsIn,
  whoIs,
} from '../../graph/graph.js';
import {refusal} from '../../../util/received.js';

/** The names that tf.js allows for a variable. */
const VALID = /^[A-Za-z0-9][-A-Za-z0-9._/]*$/;

/**
 * Gives every layer a name that tf.js can use and that no other layer has, in
 * any nested model, since weights are found by name.
 *
 * @return The names that had to change, as `from → to`.
 */
export function makeNamesUnique(root: GraphModel): string[] {
  const models = modelsIn(root);
  // Programs know the names in the outermost model, so these stay.
  const taken = new Set(
    models.flatMap(({layers}) => layers.map((l) => l.name)),
  );
  const used = new Set<string>();
  const changes: string[] = [];
  for (const model of models) {
    for (const layer of model.layers) {
      const name = nameFor(layer, model, used, taken);
      used.add(name);
      taken.add(name);
      if (name === layer.name) continue;
      changes.push(`${layer.name} → ${name}`);
      layer.newName = name;
      if (layer.model) layer.model.newName = name;
    }
  }
  root.newName = validName(root.name);
  return changes;
}

function nameFor(
  {name, className, model: inner}: GraphLayer,
  model: GraphModel,
  used: ReadonlySet<string>,
  taken: ReadonlySet<string>,
): string {
  const wanted = validName(name);
  if (wanted !== name) return freeName(wanted, taken);
  // Only layers with weights of their own need distinct names.
  const mayShare = inner !== undefined || className === 'InputLayer';
  if (mayShare || !used.has(name)) return name;
  return freeName(`${validName(model.name)}_${name}`, taken);
}

function freeName(base: string, taken: ReadonlySet<string>): string {
  let name = base;
  for (let i = 1; taken.has(name); i++) name = `${base}_${i}`;
  return name;
}

/**
 * tf.js looks names up in plain objects, so they must not be properties of
 * these.
 */
function validName(name: string): string {
  if (VALID.test(name) && !(name in {})) return name;
  const cleaned = name.replace(/[^-A-Za-z0-9._]/g, '_');
  return VALID.test(cleaned) && !(cleaned in {}) ? cleaned : `layer_${cleaned}`;
}

/** The `training` argument of a call; undefined follows the model. */
export type Training = boolean | undefined;

/**
 * Finds the `training` argument that each layer gets from the models around it,
 * where one of them passes it: `layer(x, training=True)`, or
 * `model(x, training=False)` around it.
 *
 * @throws Error if the uses of a layer differ in it.
 */
export function callSiteTraining(
  model: GraphModel,
  isKeras3: boolean,
): Map<GraphLayer, boolean> {
  const found = new Map<GraphLayer, Set<Training>>();
  const visit = (layer: GraphLayer, training: Training): void => {
    if (layer.model) visitAll(layer.model, training);
    for (const {layer: inner} of layer.wrapped) visit(inner, training);
    const seen = found.get(layer) ?? new Set();
    found.set(layer, seen.add(training));
  };
  const visitAll = (inner: GraphModel, outer: Training): void => {
    for (const layer of inner.layers) {
      const said = new Set(
        inner.isSequential
          ? [outer]
          : layer.calls.map(({training}) =>
              // In Keras 3 the outermost argument wins, in Keras 2 the
              // innermost.
              isKeras3 ? (outer ?? training) : (training ?? outer),
            ),
      );
      for (const training of said) visit(layer, training);
    }
  };
  visitAll(model, undefined);
  return new Map(
    [...found].flatMap(([layer, seen]): Array<[GraphLayer, boolean]> => {
      const training = onlyOne(layer, seen);
      return training === undefined ? [] : [[layer, training]];
    }),
  );
}

function onlyOne(layer: GraphLayer, seen: ReadonlySet<Training>): Training {
  if (seen.size <= 1 || layer.model) return [...seen][0];
  const values = [...seen].map((value) => value ?? null);
  const what = 'it is called with more than one value of training';
  throw refusal(whoIs(layer), what, 'training', values);
}
