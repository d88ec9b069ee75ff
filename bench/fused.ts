import * as tf from '@tensorflow/tfjs';

/** The package's own flag: if true, its fused kernels run, else core ops. */
const FLAG = 'NORMALIZATION_FUSED';

/** Computes with fused kernels or with composed ones. */
export function withFused<T>(fused: boolean, compute: () => T): T {
  const before = tf.env().getBool(FLAG);
  tf.env().set(FLAG, fused);
  try {
    return compute();
  } finally {
    tf.env().set(FLAG, before);
  }
}

/** Does the same until a promise settles. Nothing else may compute meanwhile. */
export async function withFusedDuring<T>(
  fused: boolean,
  compute: () => Promise<T>,
): Promise<T> {
  const before = tf.env().getBool(FLAG);
  tf.env().set(FLAG, fused);
  try {
    return await compute();
  } finally {
    tf.env().set(FLAG, before);
  }
}
