import {
  type FeatureData,
  Normalization,
  normalization,
  type NormalizationArgs,
} from 'tfjs-normalization';

/** Adapts a layer to data of this shape. */
export async function adapted(
  data: FeatureData,
  args: NormalizationArgs = {},
): Promise<Normalization> {
  const layer = normalization(args);
  await layer.adapt(data);
  return layer;
}
