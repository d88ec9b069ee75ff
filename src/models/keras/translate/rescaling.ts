import type {Json} from '../../graph/json.js';

/**
 * The config of a Normalization that computes what a Rescaling with a scale or an offset
 * for each channel does, which tf.js's lacks: `x · scale + offset` is
 * `(x − mean) / √variance` with `mean = −offset / scale` and `variance = 1 / scale²`.
 *
 * @return undefined if tf.js's own layer takes it, or if no Normalization can.
 */
export function normalizationOfRescaling(config: Json): Json | undefined {
  const {scale, offset = 0, ...others} = config;
  const lists = [scale, offset].filter(Array.isArray);
  const length = Math.max(0, ...lists.map((list) => list.length));
  const isEven = lists.every((list) => list.length === length);
  if (length === 0 || !isEven) return undefined;
  const valueOf = (option: unknown, i: number): unknown =>
    Array.isArray(option) ? option[i] : option;
  const channels = Array.from({length}, (_, i) => ({
    factor: valueOf(scale, i) as number,
    shift: valueOf(offset, i) as number,
  }));
  const fits = channels.every(
    ({factor, shift}) => isScale(factor) && Number.isFinite(shift),
  );
  if (!fits) return undefined;
  return {
    ...others,
    axis: -1,
    // Not -0.
    mean: channels.map(({factor, shift}) => 0 - shift / factor),
    variance: channels.map(({factor}) => factor ** -2),
  };
}

/** Within what a deviation may be in float32, and above the least that counts. */
function isScale(value: unknown): boolean {
  return typeof value === 'number' && value > 1e-18 && value < 1e6;
}
