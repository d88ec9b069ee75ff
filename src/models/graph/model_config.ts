import type {serialization} from '@tensorflow/tfjs-core';
import type {layers, LayersModel} from '@tensorflow/tfjs-layers';

type Config = serialization.ConfigDict;

/** The source of an input: `[layer, node, tensor, …]`. */
type Reference = readonly [name: string, ...rest: unknown[]];

/** A layer in the config of its model. */
export interface LayerEntry {
  readonly name: string;
  readonly layer: layers.Layer;
  /** Its entry in the model's config. */
  readonly dict: {
    readonly config: Config;
    /** The sources of the inputs, for each call; none in a sequential model. */
    readonly inboundNodes?: ReadonlyArray<readonly Reference[]>;
  };
}

/** The config of a model, functional or sequential, with its live layers. */
export interface ModelConfig {
  readonly config: Config;
  readonly entries: readonly LayerEntry[];
  /** The names of the layers that feed each call of each layer. */
  readonly calls: ReadonlyMap<string, ReadonlyArray<readonly string[]>>;
  /** The number of uses of each layer's output, as the model's output included. */
  readonly uses: ReadonlyMap<string, number>;
}

/** Reads the structure of a model. */
export function configOf(model: LayersModel): ModelConfig {
  const config = model.getConfig();
  const dicts = config.layers as unknown as Array<LayerEntry['dict']>;
  const entries = model.layers.flatMap((layer, i) => {
    const dict = dicts[i];
    const {name} = layer;
    return dict ? [{name, layer, dict: completed(dict, layer)}] : [];
  });
  const calls = new Map(
    entries.map((entry, i) => [entry.name, callsOf(entry, entries[i - 1])]),
  );
  const uses = new Map<string, number>();
  const used = [...[...calls.values()].flat(2), ...outputsOf(config, entries)];
  for (const name of used) uses.set(name, (uses.get(name) ?? 0) + 1);
  return {config, entries, calls, uses};
}

/**
 * Returns the config of a model without some layers.
 *
 * @param gone The layers to leave out, each with the layer whose output
 *   replaces its own. Both are used once.
 * @param configs New configs, by layer.
 */
export function configWithout(
  {config, entries}: ModelConfig,
  gone: ReadonlyMap<layers.Layer, layers.Layer>,
  configs: ReadonlyMap<layers.Layer, Config>,
): Config {
  const names = new Map([...gone].map(([from, to]) => [from.name, to.name]));
  const rename = ([name, ...rest]: Reference): Reference => [
    names.get(name) ?? name,
    ...rest,
  ];
  const layers = entries
    .filter(({layer}) => !gone.has(layer))
    .map(({layer, dict}) => ({
      ...dict,
      config: configs.get(layer) ?? dict.config,
      ...(dict.inboundNodes && {
        inboundNodes: dict.inboundNodes.map((node) => node.map(rename)),
      }),
    }));
  const outputs = config.outputLayers as unknown as Reference[] | undefined;
  const renamed = outputs && {outputLayers: outputs.map(rename)};
  return {...config, layers, ...renamed} as unknown as Config;
}

/**
 * Creates a model of the same class from another config, with zeros as weights.
 */
export function createModel(model: LayersModel, config: Config): LayersModel {
  const modelClass = model.constructor as unknown as ModelClass;
  return modelClass.fromConfig(modelClass, config, {}, true);
}

interface ModelClass {
  fromConfig(
    cls: ModelClass,
    config: Config,
    customObjects: Config,
    fastWeightInit: boolean,
  ): LayersModel;
}

/**
 * Restores depthMultiplier, which tf.js 4.22 leaves out of SeparableConv2D's
 * config.
 */
function completed(
  dict: LayerEntry['dict'],
  layer: layers.Layer,
): LayerEntry['dict'] {
  const {depthMultiplier} = layer as {depthMultiplier?: number};
  if (depthMultiplier === undefined) return dict;
  return {...dict, config: {depthMultiplier, ...dict.config}};
}

function callsOf(
  {dict}: LayerEntry,
  before: LayerEntry | undefined,
): string[][] {
  const {inboundNodes} = dict;
  if (inboundNodes === undefined) return before ? [[before.name]] : [];
  return inboundNodes.map((node) => node.map(([name]) => name));
}

function outputsOf(config: Config, entries: readonly LayerEntry[]): string[] {
  const outputs = config.outputLayers as unknown as Reference[] | undefined;
  if (outputs !== undefined) return outputs.map(([name]) => name);
  return entries.slice(-1).map(({name}) => name);
}
