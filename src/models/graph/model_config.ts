import type {serialization} from '@tensorflow/tfjs-core';
import type {layers, LayersModel} from '@tensorflow/tfjs-layers';

type Config = serialization.ConfigDict;

/** Where an input comes from: `[layer, node, tensor, …]`. */
type Reference = readonly [name: string, ...rest: unknown[]];

/** A layer in the config of its model. */
export interface LayerEntry {
  readonly name: string;
  readonly layer: layers.Layer;
  /** What the model's config says of it. */
  readonly dict: {
    readonly config: Config;
    /** Of each call the sources of its inputs; none in a sequential model. */
    readonly inboundNodes?: ReadonlyArray<readonly Reference[]>;
  };
}

/** The config of a model, functional or sequential, with its live layers. */
export interface ModelConfig {
  readonly config: Config;
  readonly entries: readonly LayerEntry[];
  /** The names of the layers that each call of each layer takes from. */
  readonly calls: ReadonlyMap<string, ReadonlyArray<readonly string[]>>;
  /** How often each layer's output is used, as the model's own included. */
  readonly uses: ReadonlyMap<string, number>;
}

/** How a model is put together. */
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
 * The config of a model without some layers.
 *
 * @param gone The layers to leave out, each with the one that takes its place
 *   wherever its output is used. Both are used once.
 * @param configs The new configs of layers that get one.
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

/** A model of the same class from another config; its weights are zeros. */
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

/** tf.js 4.22 leaves SeparableConv2D's depthMultiplier out of its config. */
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
