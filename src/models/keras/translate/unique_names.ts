import {type GraphLayer, type GraphModel, modelsIn} from '../../graph/graph.js';

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
