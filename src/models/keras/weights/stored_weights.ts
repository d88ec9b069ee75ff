import type {io} from '@tensorflow/tfjs-core';
import {hasOwn} from '../../../layer_support/options.js';
import {DTYPE_BYTES} from '../../../util/dtype_bytes.js';
import {own} from '../../graph/json.js';
import {refusal} from '../../../util/received.js';
import {isObject} from '../../../util/is_object.js';

/** A weight of a file: its spec, and the place of its bytes. */
export interface StoredWeight {
  readonly spec: io.WeightsManifestEntry;
  readonly size: number;
  readonly start: number;
  readonly end: number;
}

/**
 * Reads the weights of a file, and checks that their bytes are there.
 *
 * @throws Error if a spec is malformed, or if the data does not have the length
 *   that the specs give.
 */
export function readStored(
  {weightSpecs, weightData}: io.ModelArtifacts,
  who: string,
): StoredWeight[] {
  let end = 0;
  const stored = (weightSpecs ?? []).map((spec): StoredWeight => {
    checkSpec(spec, who);
    const size = spec.shape.reduce((product, length) => product * length, 1);
    const start = end;
    end += size * bytesOf(spec);
    return {spec, size, start, end};
  });
  const length = lengthOf(weightData);
  if (end === length) return stored;
  const what = `the weights need ${end} bytes, and there are ${length}`;
  throw refusal(who, what, 'weightData', `${length} bytes`);
}

/** Concatenates the bytes of some weights. */
export function bytesOfAll(
  stored: readonly StoredWeight[],
  data: io.WeightData,
): ArrayBuffer {
  const all = [data].flat().map((piece) => new Uint8Array(piece));
  const length = stored.reduce((sum, {start, end}) => sum + end - start, 0);
  const result = new Uint8Array(length);
  let offset = 0;
  for (const {start, end} of stored) {
    let begin = 0;
    for (const piece of all) {
      const part = piece.subarray(
        Math.max(start - begin, 0),
        Math.max(end - begin, 0),
      );
      result.set(part, offset);
      offset += part.length;
      begin += piece.length;
    }
  }
  return result.buffer;
}

function checkSpec(
  spec: unknown,
  who: string,
): asserts spec is io.WeightsManifestEntry {
  const {name, shape, dtype, quantization} = isObject(spec) ? spec : {};
  const isShape =
    Array.isArray(shape) &&
    shape.every((n) => Number.isSafeInteger(n) && (n as number) >= 0);
  const isFine =
    typeof name === 'string' &&
    isShape &&
    isStored(dtype) &&
    (quantization === undefined || isQuantization(quantization));
  if (isFine) return;
  throw refusal(
    who,
    'a weight has no valid name, shape and dtype',
    'weight',
    spec,
  );
}

function isQuantization(value: unknown): boolean {
  if (!isObject(value)) return false;
  const isScaled =
    typeof own(value, 'scale') === 'number' &&
    typeof own(value, 'min') === 'number';
  const dtype = own(value, 'dtype');
  return (
    dtype === 'float16' || (isScaled && /^uint(8|16)$/.test(String(dtype)))
  );
}

function isStored(dtype: unknown): boolean {
  return typeof dtype === 'string' && hasOwn(DTYPE_BYTES, dtype);
}

function bytesOf({dtype, quantization}: io.WeightsManifestEntry): number {
  return DTYPE_BYTES[
    (quantization?.dtype ?? dtype) as keyof typeof DTYPE_BYTES
  ];
}

function lengthOf(data: io.WeightData | undefined): number {
  const pieces = data === undefined ? [] : [data].flat();
  return pieces.reduce((sum, {byteLength}) => sum + byteLength, 0);
}
