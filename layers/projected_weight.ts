import {
  abs,
  lessEqual,
  mul,
  sub,
  type Tensor,
  tidy,
  type Variable,
  where,
} from '@tensorflow/tfjs-core';
import type {LayerVariable} from '@tensorflow/tfjs-layers';
import type {Constraint} from './objects.js';

/** A value that its constraint changes by less holds it already. */
const HELD = 1e-6;

/**
 * Makes a weight hold its constraint whenever it is read after it was written.
 *
 * tfjs's optimizers write variables without asking for a constraint. Reading is
 * what the layer, `model.getWeights` and `model.save` do, so that is where the
 * variable itself is projected, as Keras does after each update. What holds the
 * constraint to float32's precision stays as it is: projecting once more would
 * change its last digits, and a saved model would not load bit for bit.
 *
 * @param enabled Whether to project now; asked at every read.
 */
export function projectOnRead(
  weight: LayerVariable,
  constraint: Constraint,
  enabled: () => boolean = () => true,
): void {
  const read = weight.read.bind(weight) as () => Variable;
  let projected = read().dataId;
  weight.read = (): Tensor => {
    const value = read();
    if (value.dataId !== projected && enabled()) {
      tidy(() => {
        const target = constraint.apply(value);
        const held = lessEqual(abs(sub(target, value)), mul(abs(value), HELD));
        value.assign(where(held, value, target));
      });
      projected = value.dataId;
    }
    return value;
  };
}
