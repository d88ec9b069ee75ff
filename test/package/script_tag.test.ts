// Tests the build for a page's <script> tag, which uses only the global tf.
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {runInNewContext} from 'node:vm';
import * as tf from '@tensorflow/tfjs';
import {needsBuild, ROOT} from './scripts.js';

beforeAll(needsBuild);

/** Runs the script and returns its global, given the globals of a page. */
function runAsScript(
  globals: Record<string, unknown>,
): Record<string, unknown> {
  const file = join(ROOT, 'dist/tfjs-normalization.min.js');
  const page = {console, ...globals};
  runInNewContext(
    `${readFileSync(file, 'utf8')};globalThis.made = tfjsNormalization;`,
    page,
  );
  return (page as {made?: Record<string, unknown>}).made ?? {};
}

describe('the build for a script tag', () => {
  it('takes every name it needs from tf', () => {
    const missing = new Set<string | symbol>();
    const watched = new Proxy(tf, {
      get(target, name) {
        if (!(name in target)) missing.add(name);
        return Reflect.get(target, name) as unknown;
      },
    });
    runAsScript({tf: watched});
    const names = importedNames();
    expect(names.length).toBeGreaterThan(20);
    expect(names.filter((name) => !(name in tf))).toEqual([]);
    expect([...missing].filter((name) => name !== '__esModule')).toEqual([]);
  });

  it('registers the layers with the tf of the page', () => {
    const {BatchNorm, batchNorm} = runAsScript({tf}) as {
      BatchNorm: unknown;
      batchNorm: () => tf.layers.Layer;
    };
    const {classNameMap} = tf.serialization.SerializationMap.getMap();
    expect(classNameMap.BatchNorm?.[0]).toBe(BatchNorm);
    const y = batchNorm().apply(tf.ones([2, 3])) as tf.Tensor;
    expect(y.shape).toEqual([2, 3]);
    tf.dispose(y);
    tf.disposeVariables();
  });

  it('reports a missing tf on a page', () => {
    expect(() => runAsScript({})).toThrow(
      'tfjs-normalization: there is no TensorFlow.js. Load tf.min.js by a ' +
        'script before this one. Received: tf=undefined',
    );
  });
});

/**
 * Returns the names that the package imports from tfjs, which the script reads
 * from `tf`.
 */
function importedNames(): string[] {
  const map = readFileSync(
    join(ROOT, 'dist/tfjs-normalization.min.js.map'),
    'utf8',
  );
  const {sourcesContent} = JSON.parse(map) as {sourcesContent: string[]};
  return sourcesContent.flatMap((text) =>
    [...text.matchAll(/import \{([^}]*)\} from '@tensorflow/g)].flatMap(
      ([, list = '']) =>
        list
          .split(',')
          .map((name) => name.trim().replace(/ as .*/, ''))
          .filter(Boolean),
    ),
  );
}
