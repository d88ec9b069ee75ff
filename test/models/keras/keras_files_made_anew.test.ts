// Files that Keras saves on the fly, by `npm run test:keras`: those of test/fixtures,
// remade, and every layer with many options; with `--keras`, by an older version.
import {join} from 'node:path';
import {fromKerasFile} from 'tfjs-normalization/keras';
import {
  bytesOf,
  type FileCase,
  isBetweenModels,
  predict,
  readFileCases,
} from './keras_file_cases.js';
import {expectPredictions} from './keras_models.js';
import {expectRefusal, REFUSED} from './swept_layers.js';

const FOLDER = process.env.KERAS_MODELS;

/** Without the folder, end_reporter.js reports the skipped tests. */
const describeMade = FOLDER === undefined ? describe.skip : describe;

/** Fewer than this, and no version of Keras 3 has made them. */
const LEAST = 130;

async function expectRead(given: FileCase): Promise<void> {
  const model = await fromKerasFile(bytesOf(given));
  expectPredictions(given as never, predict(given, model));
}

describeMade('files of Keras', () => {
  it('predict the same here', async () => {
    const failed: string[] = [];
    const cases = readFileCases(join(FOLDER ?? '', 'keras_files.json'));
    for (const given of cases.filter((each) => !isBetweenModels(each))) {
      try {
        await expectRead(given);
      } catch (error) {
        failed.push(`${given.name}: ${(error as Error).message}`);
      }
    }
    expect(failed).toEqual([]);
  });

  it('are refused where models share a layer', async () => {
    const cases = readFileCases(join(FOLDER ?? '', 'keras_files.json'));
    const shared = cases.filter(isBetweenModels);
    expect(shared).not.toEqual([]);
    for (const given of shared) {
      await expect(expectRead(given)).rejects.toThrow(/ it is in the models /);
    }
  });

  it('predict the same here or are refused, layer by layer', async () => {
    const cases = readFileCases(join(FOLDER ?? '', 'keras_file_layers.json'));
    const refused: string[] = [];
    for (const given of cases) {
      try {
        await expectRead(given);
      } catch (error) {
        expectRefusal(given.name, error);
        refused.push(given.name);
      }
    }
    // An older version may lack some of them.
    expect(REFUSED).toEqual(expect.arrayContaining(refused));
    expect(cases.length - refused.length).toBeGreaterThan(LEAST);
  });
});
