// The averages of a batch normalization.
import {F32} from './lanes';

/**
 * Each of the two: old · (1 − rate) + new · rate. A channel whose new mean or variance is
 * not finite keeps both its old values. All are `length` float32; `rate` is one.
 */
export function moveStatistics(
  movingMean: usize,
  movingVariance: usize,
  mean: usize,
  variance: usize,
  rate: usize,
  nextMean: usize,
  nextVariance: usize,
  length: i32,
): void {
  const weight = load<f32>(rate);
  const rest: f32 = 1 - weight;
  for (let at: usize = 0, end = <usize>length * F32; at < end; at += F32) {
    const m = load<f32>(mean + at);
    const v = load<f32>(variance + at);
    const oldMean = load<f32>(movingMean + at);
    const oldVariance = load<f32>(movingVariance + at);
    const usable = isFinite<f32>(m) && isFinite<f32>(v);
    const nextM = usable ? oldMean * rest + m * weight : oldMean;
    const nextV = usable ? oldVariance * rest + v * weight : oldVariance;
    store<f32>(nextMean + at, nextM);
    store<f32>(nextVariance + at, nextV);
  }
}
