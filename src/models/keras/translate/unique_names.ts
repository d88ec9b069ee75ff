import {
  type KerasLayer,
  type KerasModel,
  modelsIn,
} from '../read/keras_model.js';

/** What tf.js allows as the name of a variable. */
const VALID = /^[A-Za-z0-9][-A-Za-z0-9._/]*$/;

/**
 * Gives every layer a name that tf.js can use: no other layer's, in whatever
 * model, since weights are found by it.
 *
 * @return The names that had to change, as `from → to`.
 */
export function makeNamesUnique(root: KerasModel): string[] {
  const models = modelsIn(root);
  // Those of the outermost model are the ones that a program knows.
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
  {name, className, model: inner}: KerasLayer,
  model: KerasModel,
  used: ReadonlySet<string>,
  taken: ReadonlySet<string>,
): string {
  const wanted = validName(name);
  if (wanted !== name) return freeName(wanted, taken);
  // These have no weights of their own, which alone have to be told apart.
  const mayShare = inner !== undefined || className === 'InputLayer';
  if (mayShare || !used.has(name)) return name;
  return freeName(`${validName(model.name)}_${name}`, taken);
}

function freeName(base: string, taken: ReadonlySet<string>): string {
  let name = base;
  for (let i = 1; taken.has(name); i++) name = `${base}_${i}`;
  return name;
}

/** tf.js looks names up in objects, whose own they must not be either. */
function validName(name: string): string {
  if (VALID.test(name) && !(name in {})) return name;
  const cleaned = name.replace(/[^-A-Za-z0-9._]/g, '_');
  return VALID.test(cleaned) && !(cleaned in {}) ? cleaned : `layer_${cleaned}`;
}
