import * as tf from '@tensorflow/tfjs';

/** The package's own flag: whether its fused kernels run, or core ops. */
const FLAG = 'NORMALIZATION_FUSED';

/** Whether there are kernels to switch off. */
export function canFuse(): boolean {
  try {
    tf.env().get(FLAG);
    return true;
  } catch {
    return false;
  }
}

/** Computes with fused kernels or with composed ones. */
export function withFused<T>(fused: boolean, compute: () => T): T {
  if (!canFuse()) return compute();
  const before = tf.env().getBool(FLAG);
  tf.env().set(FLAG, fused);
  try {
    return compute();
  } finally {
    tf.env().set(FLAG, before);
  }
}
