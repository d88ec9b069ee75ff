import type {Shape} from '@tensorflow/tfjs-layers';
import * as tf from '@tensorflow/tfjs';
import {FAMILY} from '../../layers/family.js';
import {
  defaultsOf,
  type LayerDescription,
  optionsOf,
} from '../../src/layer_support/description.js';
import * as normalization from '../../src/index.js';

/*
 * Facts about layers and functions for the site, out of the code itself: defaults from the
 * layer's description, ranges from the messages that refuse other values, weights from
 * layers that are built.
 */

/** A weight of a built layer. */
export interface WeightRow {
  readonly name: string;
  readonly shape: Shape;
  readonly dtype: string;
  /** The name of its initializer; undefined for one of the layer inside. */
  readonly initializer: string | undefined;
  readonly trains: boolean;
  /** The options that it needs; undefined if it is always there. */
  readonly when: string | undefined;
}

/** The input that the layers are built for. */
export const SAMPLE_SHAPE: Shape = [null, 4, 4, 32];

// tf.js greets on the console unless this is set.
tf.env().set('IS_TEST', true);

type Made = new (args: object) => tf.layers.Layer;
type Callee = (...values: unknown[]) => unknown;

/** A value that no option takes. */
const WRONG = Symbol.for('of no option');

/** The descriptions of the exported layers by the names of their classes. */
export function descriptions(): ReadonlyMap<string, LayerDescription> {
  return new Map(
    Object.entries(normalization).flatMap(([name, value]) => {
      const found = FAMILY.find((cls) => cls === value);
      return found === undefined ? [] : [[name, found.description] as const];
    }),
  );
}

/** The defaults of a layer's options. */
export function layerDefaults(name: string): Readonly<Record<string, unknown>> {
  const description = descriptions().get(name);
  if (description === undefined) throw new Error(`${name} is not a layer`);
  const required = Object.keys(optionsOf(description)).filter(
    (option) => optionsOf(description)[option]?.default === undefined,
  );
  const all: Record<string, unknown> = {...defaultsOf(description)};
  for (const option of required) Reflect.deleteProperty(all, option);
  return all;
}

/** Where a layer wraps another, it is given this one. */
function insideOf(description: LayerDescription): object {
  return 'layer' in description.options
    ? {layer: tf.layers.conv2d({filters: 8, kernelSize: 3, name: 'inside'})}
    : {};
}

/** The weights of a layer, in their order, with all options on that add some. */
export function layerWeights(name: string): WeightRow[] {
  const description = descriptions().get(name);
  if (description === undefined) throw new Error(`${name} is not a layer`);
  const options = Object.fromEntries(
    description.parameters.flatMap(({when}) =>
      when === undefined ? [] : [[when.option, when.is] as const],
    ),
  );
  const layer = make(name, {...insideOf(description), ...options});
  layer.apply(tf.input({batchShape: SAMPLE_SHAPE}));
  const rows = layer.weights.map((weight): WeightRow => {
    const ownName = weight.originalName
      .replace(/^.*\//, '')
      .replace(/_\d+$/, '');
    const own = description.parameters.find((each) => each.name === ownName);
    return {
      name: own === undefined ? `inside/${ownName}` : ownName,
      shape: weight.shape,
      dtype: weight.dtype,
      initializer: own?.initializer,
      trains: layer.trainableWeights.includes(weight),
      when:
        own?.when === undefined
          ? undefined
          : `${own.when.option}: ${literal(own.when.is)}`,
    };
  });
  layer.dispose();
  return rows;
}

/**
 * The values that an option may have, as the message says that refuses another.
 *
 * @param exported The class or function, `ops.` before those on tensors.
 * @param before The number of arguments before the options.
 */
export async function rangeOf(
  exported: string,
  option: string,
  before: number,
): Promise<string | undefined> {
  const message = await messageOf(exported, {[option]: WRONG}, before);
  const pattern = new RegExp(
    `\\b${option} must (?:be|have) (.*?)(?:; leave.*)?\\. Received`,
  );
  const range = pattern.exec(message ?? '')?.[1];
  // The shape in it is that of the input above.
  return range?.replace(/, \[[\d,]*\](?=,)/, '');
}

function make(name: string, args: object): tf.layers.Layer {
  const {[name]: cls} = normalization as unknown as Record<string, Made>;
  if (cls === undefined) throw new Error(`there is no ${name}`);
  return new cls(args);
}

async function messageOf(
  exported: string,
  options: object,
  before: number,
): Promise<string | undefined> {
  const description = descriptions().get(exported);
  const model = tf.sequential({layers: [make('BatchNorm', {inputShape: [4]})]});
  const x = tf.zeros([2, 4]);
  try {
    if (description !== undefined) {
      make(exported, {...insideOf(description), ...options});
      return undefined;
    }
    const inOps = exported.startsWith('ops.');
    const name = exported.replace('ops.', '');
    const all: object = inOps ? normalization.ops : normalization;
    const {[name]: callee} = all as Record<string, unknown>;
    if (typeof callee !== 'function') return undefined;
    const given = [inOps ? x : model, x].slice(0, before);
    await (callee as Callee)(...given, options);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  } finally {
    model.dispose();
    x.dispose();
  }
}

/** A value as a program has it. */
export function literal(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : String(value);
}

/** A docstring of an option in two: its meaning, and its default in words. */
export function splitDefault(docstring: string): {
  readonly meaning: string;
  readonly otherwise: string | undefined;
} {
  const text = docstring.replace(/\s+/g, ' ').trim();
  const [whole = '', otherwise] =
    /Defaults to (.*?)(?:\.(?= |$)|$)/.exec(text) ?? [];
  return {meaning: text.replace(whole, '').trim(), otherwise};
}
