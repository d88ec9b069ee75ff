import type {GraphLayer} from '../../graph/graph.js';

/** A tensor's mask, as far as it is known without values. */
export interface Mask {
  /** Two masks with the same key cover the same positions. */
  readonly key: string;
  /** The masks of Embedding and Masking layers that it is made from. */
  readonly leaves: readonly string[];
  /** The layer that made it, for messages. */
  readonly maker: string;
  /** If true, it covers nothing. */
  readonly isOpen?: boolean;
}

/** One tensor's masks in Keras and in tf.js. */
export interface Masks {
  readonly keras?: Mask;
  readonly tfjs?: Mask;
  /** The reason why tf.js's values at masked positions differ. */
  readonly unlike?: Trouble;
}

/** A difference in a layer's behaviour in tf.js, because of a mask. */
export interface Trouble {
  readonly layer: GraphLayer;
  readonly what: string;
  readonly mask: Mask;
}

/** Returns the mask that a layer makes from the tensor with this key. */
export function madeMask(
  {className, name, config}: Pick<GraphLayer, 'className' | 'name' | 'config'>,
  input: string,
): Mask | undefined {
  if (className === 'Masking') {
    return leaf(`any ${notEqual(config.mask_value ?? 0, input)}`, name);
  }
  return className === 'Embedding' && config.mask_zero === true
    ? leaf(notEqual(0, input), name)
    : undefined;
}

/**
 * Returns the key of the mask that covers the positions where a tensor has a
 * value.
 */
export function notEqual(value: unknown, input: string): string {
  return `${JSON.stringify(Number(value))} in ${input}`;
}

/** Returns a mask unlike any other. */
export function leaf(key: string, maker: string): Mask {
  return {key, leaves: [key], maker};
}

/** Tells if both leave the same positions uncovered. */
export function isSame(a?: Mask, b?: Mask): boolean {
  return shown(a)?.key === shown(b)?.key;
}

/** Returns the mask, unless it covers nothing. */
export function shown(mask?: Mask): Mask | undefined {
  return mask?.isOpen ? undefined : mask;
}

/**
 * Returns the mask that covers what all of them cover; a missing one covers
 * nothing.
 */
export function anyOf(
  masks: ReadonlyArray<Mask | undefined>,
): Mask | undefined {
  return joined('any', masks, masks.every(shown));
}

/** Returns the mask that covers what any of them covers. */
export function allOf(
  masks: ReadonlyArray<Mask | undefined>,
): Mask | undefined {
  return joined('all', masks.filter(shown), masks.some(shown));
}

/** Returns the mask of concatenated sequences. */
export function behind(
  masks: ReadonlyArray<Mask | undefined>,
): Mask | undefined {
  if (!masks.some(shown)) return joined('behind', masks, false);
  const key = masks.map((mask) => shown(mask)?.key ?? '').join(' then ');
  return {...merged(masks), key: `(${key})`};
}

function joined(
  how: string,
  masks: ReadonlyArray<Mask | undefined>,
  covers: boolean,
): Mask | undefined {
  if (!masks.some(Boolean)) return undefined;
  const all = merged(masks);
  if (!covers) return {...all, key: 'open', isOpen: true};
  const keys = [...new Set(masks.map((mask) => mask?.key ?? ''))].sort();
  const [only] = keys;
  const key = keys.length === 1 && only ? only : `${how}(${keys.join(', ')})`;
  return {...all, key};
}

function merged(
  masks: ReadonlyArray<Mask | undefined>,
): Pick<Mask, 'leaves' | 'maker'> {
  const leaves = new Set(masks.flatMap((mask) => mask?.leaves ?? []));
  return {
    leaves: [...leaves].sort(),
    maker: masks.find(Boolean)?.maker ?? '',
  };
}
