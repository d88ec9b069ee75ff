import {
  abs,
  backend,
  lessEqual,
  maximum,
  mul,
  sub,
  type Tensor,
  tidy,
  type Variable,
  where,
} from '@tensorflow/tfjs-core';
import type {LayerVariable} from '@tensorflow/tfjs-layers';
import type {Constraint} from './objects.js';

/** A few roundings. */
const ROUNDINGS = 1e-6;

/**
 * Makes a weight hold its constraint whenever it is read.
 *
 * tfjs's optimizers assign to variables without asking for a constraint. Reading
 * is what the layer, `model.getWeights` and `model.save` do, so that is where the
 * variable itself is projected after an update, as Keras does. What is written by
 * `setWeights` or by loading a model is projected then; where it holds the
 * constraint it stays as it is, so that a saved model loads bit for bit.
 *
 * @param enabled Returns true if the constraint applies now; called at each read.
 */
export function projectOnRead(
  weight: LayerVariable,
  constraint: Constraint,
  enabled: () => boolean = () => true,
): void {
  const read = weight.read.bind(weight) as () => Variable;
  const write = weight.write.bind(weight);
  let seen = read().dataId;

  weight.read = (): Tensor => {
    const value = read();
    if (value.dataId !== seen && enabled()) {
      tidy(() => {
        value.assign(projection(value, constraint));
      });
      seen = value.dataId;
    }
    return value;
  };

  weight.write = (newValue: Tensor): LayerVariable => {
    write(newValue);
    const value = read();
    if (enabled()) {
      tidy(() => {
        const target = projection(value, constraint);
        value.assign(where(isSlack(value, target), value, target));
      });
      seen = value.dataId;
    }
    return weight;
  };
}

/** A copy even where the constraint returns what it is given. */
function projection(value: Variable, constraint: Constraint): Tensor {
  const target = constraint.apply(value);
  return target.dataId === value.dataId ? target.clone() : target;
}

/**
 * tfjs's norm constraints add the backend's epsilon to a norm they divide by, 1e-7
 * or, on webgl, 1e-4, and so move what holds them already by up to this.
 */
function isSlack(value: Tensor, target: Tensor): Tensor {
  const absolute = 2 * backend().epsilon();
  const relative = Math.max(ROUNDINGS, absolute);
  const allowed = maximum(mul(abs(value), relative), absolute);
  return lessEqual(abs(sub(target, value)), allowed);
}
