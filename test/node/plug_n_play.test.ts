// Yarn's Plug'n'Play replaces Node's file system, without some of its methods.
import {mkdtempSync} from 'node:fs';
import {open, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import * as tf from '@tensorflow/tfjs';
import {batchNorm} from 'tfjs-normalization';
import {fileSystem} from 'tfjs-normalization/node';

describe("F24: under Plug'n'Play, which has no FileHandle.sync", () => {
  it('a model is saved and loaded', async () => {
    const file = await open(__filename, 'r');
    const handles = Object.getPrototypeOf(file) as Record<string, unknown>;
    await file.close();
    const missing = ['sync', 'datasync'].map((name) =>
      jest.spyOn(handles as {sync(): Promise<void>}, name as 'sync'),
    );
    for (const method of missing) {
      method.mockRejectedValue(new Error('Method not implemented.'));
    }
    const folder = mkdtempSync(join(tmpdir(), 'plug-n-play-'));
    try {
      const model = tf.sequential();
      model.add(batchNorm({inputShape: [3]}));
      await model.save(fileSystem(folder));
      const loaded = await tf.loadLayersModel(fileSystem(folder));
      expect(loaded.layers).toHaveLength(1);
    } finally {
      await rm(folder, {recursive: true, force: true});
      for (const method of missing) method.mockRestore();
    }
  });
});
