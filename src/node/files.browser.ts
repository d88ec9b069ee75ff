/*
 * `tfjs-normalization/node` in a bundle for browsers, which have no files: package.json
 * puts this file in the place of `files.ts` there ("browser").
 */
import type {io} from '@tensorflow/tfjs-core';
import {received} from '../util/received.js';

/**
 * Stands for fileSystem in browsers, where it always fails.
 *
 * @throws Error always.
 */
export function fileSystem(path: string): io.IOHandler {
  throw new Error(
    'fileSystem: tfjs-normalization/node is for Node, and this is a bundle for ' +
      "browsers. Save to 'indexeddb://…' or 'downloads://…' there, and load from " +
      `a URL. ${received('path', path)}`,
  );
}
