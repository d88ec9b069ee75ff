// Weights of Keras's files find their layers, whatever those are called.
import {join} from 'node:path';
import fc from 'fast-check';
import {
  expectSamePredictions,
  type KerasCase,
  readCases,
} from './keras_models.js';

type Json = Record<string, unknown>;

/** Names that contain each other, and words that files use for other things. */
const WORDS = [
  ...['a', 'ab', 'a_1', 'a_1_1', 'b', 'dense', 'dense_1', 'dense_1_1', 'norm'],
  ...['optimizer', 'seed_generator_1', 'kernel', 'gamma', 'moving_mean'],
  ...['vars', 'layers', 'layer', 'model', 'cell', 'x-y.z', '0', '1', 'name'],
  ...['größe', '層', 'length', 'sequential', 'functional', 'forward_a'],
];

/**
 * Keras 3 refuses names with a slash. No part stands in two names: with layers called a and
 * a/b, Keras 2 can write equal names for different weights.
 */
const SLASHED = ['p/q', 'r/s', 't/u/v'];

/** Too many layers for the words, or numbered instead of named. */
const LEFT_OUT = /keras file|^written as/;

describe.each([
  ['Keras 2', 'keras2_models.json', [...WORDS, ...SLASHED]],
  ['Keras 3', 'keras3_models.json', WORDS],
])('F2: a model of %s with any layer names', (_, file, words) => {
  const cases = readCases(join(__dirname, '../../fixtures', file)).filter(
    ({name}) => !LEFT_OUT.test(name),
  );

  it.each(cases)('$name', async (given) => {
    const names = [...new Set(layerNamesIn(given.model.modelTopology))];
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray(words, {
          minLength: Math.min(names.length, words.length),
        }),
        async (others) => {
          const renaming = new Map(
            names.map((name, i) => [name, others[i] ?? name]),
          );
          await expectSamePredictions(renamed(given, renaming));
        },
      ),
      {
        numRuns: 10,
        // A layer called like the model around it.
        examples: [
          [[...new Set(['moving_mean', 'sequential', 'model', ...words])]],
        ],
      },
    );
  });
});

/** The names of a model's layers, and of those of models in it. */
function layerNamesIn(json: unknown): string[] {
  if (typeof json !== 'object' || json === null) return [];
  const {layers} = json as {layers?: unknown};
  const own = Array.isArray(layers) ? layers.map(nameOf) : [];
  return [...own, ...Object.values(json).flatMap(layerNamesIn)];
}

function nameOf(layer: unknown): string {
  const {config} = layer as {config: {name: string}};
  return config.name;
}

function renamed(
  given: KerasCase,
  names: ReadonlyMap<string, string>,
): KerasCase {
  const newName = (name: string): string => names.get(name) ?? name;
  const renameIn = (json: unknown, key = ''): unknown => {
    if (typeof json === 'string') {
      return /class_name|module/.test(key) ? json : newName(json);
    }
    if (Array.isArray(json)) return json.map((each) => renameIn(each));
    if (typeof json !== 'object' || json === null) return json;
    const entries = Object.entries(json).map(([k, v]) => [k, renameIn(v, k)]);
    return Object.fromEntries(entries);
  };
  const model = {
    ...given.model,
    modelTopology: renameIn(given.model.modelTopology) as Json,
    weightsManifest: given.model.weightsManifest.map((group) => ({
      ...group,
      weights: group.weights.map((spec) => {
        const [last = '', ...around] = spec.name.split('/').reverse();
        const name = [...around.reverse().map(newName), last].join('/');
        return {...spec, name};
      }),
    })),
  };
  return {...given, model};
}
