import type {
  Call,
  KerasLayer,
  KerasModel,
  TensorRef,
} from '../read/keras_model.js';

/** Calls with changed inputs, and the layers that make these. */
export interface DistinctInputs {
  readonly inputsOf: (call: Call) => readonly TensorRef[];
  readonly added: readonly KerasLayer[];
}

/**
 * Puts a layer between a tensor and a call that takes it twice. tf.js counts
 * such a call as two of the tensor's users, and disposes the tensor before its
 * last user has run.
 */
export function distinctInputs({layers}: KerasModel): DistinctInputs {
  const added: KerasLayer[] = [];
  const changed = new Map<Call, readonly TensorRef[]>();
  for (const {newName, calls} of layers) {
    for (const call of calls) {
      const inputs = call.inputs.map((ref, i) => {
        const key = keyOf(ref);
        const isRepeated = call.inputs.findIndex((r) => keyOf(r) === key) < i;
        if (!isRepeated) return ref;
        const again = handingOn(ref, `${newName}_again_${added.length}`);
        added.push(again);
        return {layer: again.name, call: 0, output: 0};
      });
      changed.set(call, inputs);
    }
  }
  return {inputsOf: (call) => changed.get(call) ?? call.inputs, added};
}

function keyOf({layer, call, output}: TensorRef): string {
  return JSON.stringify([layer, call, output]);
}

function handingOn(ref: TensorRef, name: string): KerasLayer {
  return {
    className: 'Identity',
    name,
    newName: name,
    config: {name},
    calls: [{inputs: [ref], constants: {}, shapes: []}],
    wrapped: [],
    isOperation: false,
  };
}
