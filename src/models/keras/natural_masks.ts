import {own, refusal} from './json.js';
import {
  type Call,
  type KerasLayer,
  type KerasModel,
  type TensorRef,
  whoIs,
} from './keras_model.js';

/** What a mask covers: where a tensor has this value. */
interface MaskSource {
  readonly of: TensorRef;
  readonly value: unknown;
}

/** The operations that make the masks of Embedding and of Masking. */
const NOT_EQUAL = 'NotEqual';
const ANY = 'Any';

/**
 * The model without the masks that Keras 3 writes down. tf.js hands on by itself
 * the mask of an Embedding or a Masking layer; the operations that make it are no
 * layers there.
 *
 * @throws Error naming a layer whose mask is any other.
 */
export function withoutNaturalMasks(model: KerasModel): KerasModel {
  const layers = new Map(model.layers.map((layer) => [layer.name, layer]));
  let hasMasks = false;
  for (const layer of model.layers) {
    for (const call of layer.calls) {
      if (!call.mask) continue;
      hasMasks = true;
      checkMask(layer, call, call.mask, layers);
    }
  }
  if (!hasMasks) return model;
  const isNeeded = neededBeside(model);
  return {
    ...model,
    layers: model.layers.filter(
      ({className, name}) =>
        (className !== NOT_EQUAL && className !== ANY) || isNeeded(name),
    ),
  };
}

function checkMask(
  layer: KerasLayer,
  {inputs: [input]}: Call,
  mask: TensorRef,
  layers: ReadonlyMap<string, KerasLayer>,
): void {
  const given = madeByOperations(mask, layers);
  const natural = input && handedOn(input, layers);
  const isSame =
    given &&
    natural &&
    given.value === natural.value &&
    given.of.layer === natural.of.layer &&
    given.of.call === natural.of.call &&
    given.of.output === natural.of.output;
  if (isSame) return;
  const what = 'tf.js hands on masks by itself, and no other can be given';
  throw refusal(whoIs(layer), what, 'mask', mask.layer);
}

function madeByOperations(
  mask: TensorRef,
  layers: ReadonlyMap<string, KerasLayer>,
): MaskSource | undefined {
  const layer = layers.get(mask.layer);
  const call = layer?.calls[mask.call];
  const of = call?.inputs[0];
  if (!layer || !call || !of) return undefined;
  const value = call.constants['1'];
  if (layer.className === NOT_EQUAL) return {of, value};
  // Nothing comes after it but the comparison itself.
  const inner = layer.className === ANY ? layers.get(of.layer) : undefined;
  return inner?.className === NOT_EQUAL
    ? madeByOperations(of, layers)
    : undefined;
}

/** What the mask is of that tf.js brings along with a tensor. */
function handedOn(
  start: TensorRef,
  layers: ReadonlyMap<string, KerasLayer>,
): MaskSource | undefined {
  let ref = start;
  for (;;) {
    const layer = layers.get(ref.layer);
    const [of, ...others] = layer?.calls[ref.call]?.inputs ?? [];
    if (!layer || !of || others.length > 0 || layer.model) return undefined;
    if (layer.className === 'Masking') {
      return {of, value: own(layer.config, 'mask_value')};
    }
    const isEmbedding = layer.className === 'Embedding';
    if (isEmbedding && own(layer.config, 'mask_zero') === true) {
      return {of, value: 0};
    }
    ref = of;
  }
}

/** Tells what something else than a mask is made from. */
function neededBeside({
  layers,
  outputs,
}: KerasModel): (name: string) => boolean {
  const needed = new Set<string>();
  const byName = new Map(layers.map((layer) => [layer.name, layer]));
  const waiting = [
    ...outputs.map(({layer}) => layer),
    ...layers
      .filter(({className}) => className !== NOT_EQUAL && className !== ANY)
      .flatMap(({calls}) => calls)
      .flatMap(({inputs}) => inputs.map(({layer}) => layer)),
  ];
  for (const name of waiting) {
    if (needed.has(name)) continue;
    needed.add(name);
    const calls = byName.get(name)?.calls ?? [];
    waiting.push(...calls.flatMap((c) => c.inputs.map(({layer}) => layer)));
  }
  return (name) => needed.has(name);
}
