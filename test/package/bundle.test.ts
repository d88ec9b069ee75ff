// Tests bundles of the package: no module that registers itself is lost.
import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';
import {build, type BuildResult, type Message} from 'esbuild';
import * as ts from 'typescript';
import {needsBuild, ROOT, runScript, temporaryFolder} from './scripts.js';

beforeAll(needsBuild);

type Bundle = BuildResult<{write: false}>;

const ESM = join(ROOT, 'dist/esm');

/** Layers that bundlers drop where a program does not name them. */
const MAY_GO = /layers.(?!batch_norm|layer_norm)\w+\.js$/;

/**
 * Makes a production bundle of a program, with the package inside and tfjs
 * outside.
 */
function bundle(contents: string): Promise<Bundle> {
  return build({
    stdin: {contents, resolveDir: ROOT},
    bundle: true,
    minify: true,
    format: 'cjs',
    external: ['@tensorflow/*', 'node:*'],
    write: false,
    logLevel: 'silent',
    // This repository's tsconfig maps the package to its source.
    tsconfigRaw: {},
  });
}

describe('a production bundle', () => {
  const folder = join(temporaryFolder(), 'model');

  const SAVE = `
    const tf = require('@tensorflow/tfjs');
    const {batchNorm, layerNorm} = require('tfjs-normalization');
    const {fileSystem} = require('tfjs-normalization/node');
    const model = tf.sequential();
    model.add(tf.layers.dense({units: 5, inputShape: [4]}));
    model.add(batchNorm());
    model.add(layerNorm());
    model.save(fileSystem(process.argv[2])).then(() => {
      console.log(String(model.predict(tf.ones([3, 4])).dataSync()));
    });
  `;

  const LOAD = `
    const {modelTopology, weightsManifest} = JSON.parse(
      readFileSync(process.argv[2] + '/model.json', 'utf8'),
    );
    const [{paths, weights}] = weightsManifest;
    const bytes = readFileSync(process.argv[2] + '/' + paths[0]);
    const load = async () => {
      const model = await tf.loadLayersModel(
        tf.io.fromMemory({
          modelTopology,
          weightSpecs: weights,
          weightData: new Uint8Array(bytes).buffer,
        }),
      );
      const x = tf.ones([3, 4]);
      console.log(String(model.predict(x).dataSync()));
      const f = (v) => model.apply(v, {training: true});
      console.log(String(tf.grad(f)(x).shape));
    };
    load();
  `;

  it('of a program that only imports the package loads a model, and trains', async () => {
    const saved = await runScript(SAVE, 'cjs', [folder]);
    const {outputFiles} = await bundle(`
      import {readFileSync} from 'node:fs';
      import * as tf from '@tensorflow/tfjs';
      import 'tfjs-normalization';
      ${LOAD}
    `);
    const code = outputFiles[0]?.text ?? '';
    const {stdout} = await runScript(code, 'cjs', [folder]);
    expect(stdout).toBe(`${saved.stdout}3,4\n`);
  });

  it('keeps every module that registers something', async () => {
    const effective = modulesWithEffects();
    expect(effective.map((file) => file.replace(ESM, ''))).toEqual(
      expect.arrayContaining([
        '/layers/batch_norm.js',
        '/layers/layer_norm.js',
        '/src/kernels/registry.js',
        '/src/node/files.js',
        '/src/ops/gradients.js',
        '/src/patch.js',
      ]),
    );
    const dropped: Message[] = [];
    for (const file of effective.filter((each) => !MAY_GO.test(each))) {
      const {warnings} = await bundle(`import '${file}';`);
      dropped.push(...warnings.filter(({id}) => id === 'ignored-bare-import'));
    }
    expect(dropped.map(({text}) => text)).toEqual([]);
  });

  it.each([
    ['names none', `import 'tfjs-normalization';`, false],
    ['names another', `export {batchNorm} from 'tfjs-normalization';`, false],
    ['names it', `export {unitNorm} from 'tfjs-normalization';`, true],
    [
      'calls register',
      `import {register} from 'tfjs-normalization'; register();`,
      true,
    ],
    ['has fromKeras', `export {fromKeras} from 'tfjs-normalization';`, true],
  ])('of a program that %s has the layer or not', async (_, code, has) => {
    const {outputFiles} = await bundle(code);
    const text = outputFiles[0]?.text ?? '';
    expect(text.includes('UnitNormalization')).toBe(has);
    expect(text).toContain('BatchNormalizationV1');
  });
});

/**
 * Lists modules with a top-level call for its side effect, not for its value.
 */
function modulesWithEffects(): string[] {
  return readdirSync(ESM, {recursive: true, withFileTypes: true})
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => file.endsWith('.js') && hasEffects(file));
}

function hasEffects(file: string): boolean {
  const source = ts.createSourceFile(
    file,
    readFileSync(file, 'utf8'),
    ts.ScriptTarget.ES2022,
  );
  return (
    file === join(ESM, 'src/patch.js') ||
    source.statements.some(
      (statement) =>
        ts.isExpressionStatement(statement) &&
        ts.isCallExpression(statement.expression),
    )
  );
}
