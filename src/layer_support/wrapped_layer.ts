import {serialization, type Tensor} from '@tensorflow/tfjs-core';
import {layers, type LayerVariable} from '@tensorflow/tfjs-layers';
import {isObject} from '../util/is_object.js';
import {refusal} from '../util/received.js';
import {hasOwn} from './options.js';

/* A layer of tf.js inside one of this package. */

/** A layer as a model JSON has it. */
export function serializeLayer(layer: layers.Layer): serialization.ConfigDict {
  return {className: layer.getClassName(), config: layer.getConfig()};
}

/**
 * Makes a layer from what a model JSON has. A layer that is one already stays.
 *
 * @throws Error if no layer is registered under its class name.
 */
export function deserializeLayer(json: unknown, who: string): unknown {
  if (!isObject(json) || json instanceof layers.Layer) return json;
  const {className, config} = json;
  const {classNameMap} = serialization.SerializationMap.getMap();
  const name = typeof className === 'string' ? className : '';
  const [cls, fromConfig] = hasOwn(classNameMap, name)
    ? (classNameMap[name] ?? [])
    : [];
  if (cls === undefined || fromConfig === undefined || !isObject(config)) {
    throw refusal(
      who,
      'tf.js has no such layer, and none is registered under the name',
      'layer.className',
      className,
    );
  }
  return fromConfig(cls, config as serialization.ConfigDict);
}

/** The properties that hold a layer's kernel, in the classes of tf.js. */
const KERNELS: readonly string[] = ['kernel', 'depthwiseKernel', 'embeddings'];

/**
 * The kernel of a built layer: the one weight that its input is multiplied with, or
 * its embeddings.
 *
 * @throws Error if it has none, or more than one.
 */
export function kernelOf(layer: layers.Layer, who: string): LayerVariable {
  const properties = layer as unknown as Record<string, unknown>;
  const found = layer.weights.filter((weight) =>
    KERNELS.some((name) => properties[name] === weight),
  );
  const [kernel] = found;
  // A separable convolution has two.
  const hasMore = properties.pointwiseKernel != null;
  if (kernel !== undefined && !hasMore) return kernel;
  throw refusal(
    who,
    'the layer inside must have one kernel, or embeddings, as Dense, a ' +
      'convolution or Embedding has',
    'layer.className',
    layer.getClassName(),
  );
}

/** Runs a function while a weight reads as a given tensor. */
export type ReadAs = <Result>(value: Tensor, run: () => Result) => Result;

/** Makes it possible to have a weight read as another tensor for a while. */
export function makeReplaceable(weight: LayerVariable): ReadAs {
  const read = weight.read.bind(weight);
  let replacement: Tensor | undefined;
  weight.read = () => replacement ?? read();
  return (value, run) => {
    replacement = value;
    try {
      return run();
    } finally {
      replacement = undefined;
    }
  };
}
