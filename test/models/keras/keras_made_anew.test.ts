// Models that Keras makes on the fly, by `npm run test:keras`: those of
// test/fixtures, remade, networks of keras.applications, random nested models,
// and every layer with many options.
import {join} from 'node:path';
import * as tf from '@tensorflow/tfjs';
import {fromKeras} from 'tfjs-normalization';
import {
  artifactsIn,
  expectPredictions,
  expectSame,
  expectSamePredictions,
  expectTrains,
  handlerOf,
  type KerasCase,
  loadCase,
  predictionsOf,
  readCases,
} from './keras_models.js';
import {expectRefusal, REFUSED} from './swept_layers.js';

const FOLDER = process.env.KERAS_MODELS;
const FIXTURES = join(__dirname, '../../fixtures');

/** Without the folder, end_reporter.js reports the skipped tests. */
const describeMade = FOLDER === undefined ? describe.skip : describe;

/** Layers for which tf.js itself has no gradient; fromKeras warns of them. */
const UNTRAINABLE = [
  'Conv1D(dilation_rate=2, filters=2, kernel_size=2)',
  'Conv2D(dilation_rate=2, use_bias=False, filters=2, kernel_size=2)',
  'Conv3DTranspose(padding=same, strides=1, filters=2, kernel_size=2)',
  'Conv3DTranspose(padding=same, strides=2, filters=2, kernel_size=2)',
  'Conv3DTranspose(padding=valid, strides=1, filters=2, kernel_size=2)',
  'Conv3DTranspose(padding=valid, strides=2, filters=2, kernel_size=2)',
];

const titled = (cases: KerasCase[]): Array<[string, KerasCase]> =>
  cases.map((each) => [each.name, each]);

const casesIn = (name: string): KerasCase[] =>
  FOLDER === undefined ? [] : readCases(join(FOLDER, `${name}.json`));

describeMade.each(['keras3', 'keras2'])('the models of %s', (library) => {
  const models = casesIn(`${library}_models`);

  it('are those of test/fixtures', () => {
    const kept = readCases(join(FIXTURES, `${library}_models.json`));
    expect(models.map(exactPart)).toEqual(kept.map(exactPart));
    models.forEach(({outputs}, i) => {
      outputs.forEach(({values}, j) => {
        const expected = kept[i]?.outputs[j]?.values ?? [];
        expectSame(values, expected);
      });
    });
  });

  const all = [...models, ...casesIn(`${library}_networks`)];

  (all.length > 0 ? it.each(titled(all)) : it.skip.each([['', undefined]]))(
    'predict the same here: %s',
    async (_, given) => {
      await expectSamePredictions(given as KerasCase);
    },
  );

  it('F13: predict the same here if nested, and can be trained', async () => {
    const failed: string[] = [];
    for (const given of [...all, ...casesIn(`${library}_graphs`)]) {
      try {
        await expectSamePredictions(given);
        await expectTrains(given, await loadCase(given));
      } catch (error) {
        failed.push(`${given.name}: ${(error as Error).message}`);
      }
    }
    expect(failed).toEqual([]);
  });

  it('predict the same here or are refused, layer by layer', async () => {
    const refused: string[] = [];
    const untrainable: string[] = [];
    for (const given of casesIn(`${library}_layers`)) {
      const handler = fromKeras(handlerOf(artifactsIn(given)));
      try {
        const model = await tf.loadLayersModel(handler);
        expectPredictions(given, predictionsOf(given, model));
        await expectTrains(given, model).catch(() => {
          untrainable.push(given.name);
        });
      } catch (error) {
        expectRefusal(given.name, error);
        refused.push(given.name);
      }
    }
    const expected = REFUSED.filter((name) =>
      library === 'keras3'
        ? !name.includes('dilation_rate=2, filters')
        : !name.includes('hard_sigmoid'),
    );
    expect(refused.sort()).toEqual(expected);
    expect(untrainable.sort()).toEqual(UNTRAINABLE);
  });

  it('predict the same here or are refused, layer by layer under a mask', async () => {
    const warn = jest
      .spyOn(console, 'warn')
      .mockImplementation(() => undefined);
    const cases = casesIn(`${library}_masks_swept`);
    for (const given of cases) {
      try {
        await expectSamePredictions(given);
      } catch (error) {
        const {message} = error as Error;
        if (!/^\w+ \S+: .* Received: /.test(message)) {
          throw new Error(`${given.name}: ${message}`);
        }
      }
    }
    warn.mockRestore();
    expect(cases.length).toBeGreaterThan(300);
  });
});

/** Everything except computed values and Keras's object numbers. */
function exactPart({model, weights, inputs}: KerasCase): object {
  const text = JSON.stringify(model).replace(/"shared_object_id":\d+/g, '');
  return {text, weights, inputs};
}
