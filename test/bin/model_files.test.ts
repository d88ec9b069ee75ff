// What all commands do with modules of custom layers and with what model files hold.
import {rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import * as tf from '@tensorflow/tfjs';
import {batchNorm} from 'tfjs-normalization';
import {fileSystem} from 'tfjs-normalization/node';
import {ROOT, at, parsed, run, savedModel} from './support.js';

beforeAll(savedModel);

describe('F10: modules with custom layers', () => {
  /** The code of a module that registers a layer which doubles its input. */
  const layerCode = (name: string): string =>
    `class ${name} extends tf.layers.Layer {
      call(x) { return tf.mul([x].flat()[0], 2); }
      computeOutputShape(shape) { return shape; }
      static className = '${name}';
    }
    tf.serialization.registerClass(${name});`;

  beforeAll(async () => {
    symlinkSync(join(ROOT, 'node_modules'), at('node_modules'));
    const commonJs = "const tf = require('@tensorflow/tfjs');";
    writeFileSync(at('twice.cjs'), commonJs + layerCode('Twice'));
    const esm = "import * as tf from '@tensorflow/tfjs';";
    writeFileSync(at('double.mjs'), esm + layerCode('Double'));
    writeFileSync(at('broken.mjs'), "throw new Error('no luck')");
    const classes = ['Twice', 'Double'].map((name) => {
      class Custom extends tf.layers.Layer {
        static readonly className = name;
        override call(x: tf.Tensor | tf.Tensor[]): tf.Tensor {
          return tf.mul([x].flat()[0] as tf.Tensor, 2);
        }
        override computeOutputShape(shape: tf.Shape): tf.Shape {
          return shape;
        }
      }
      tf.serialization.registerClass(Custom);
      return Custom;
    });
    const custom = tf.sequential({
      layers: [
        tf.layers.dense({units: 3, inputShape: [2]}),
        batchNorm({name: 'norm'}),
        ...classes.map((Custom) => new Custom({})),
      ],
    });
    await custom.save(fileSystem(at('custom')));
  });

  afterAll(() => rmSync(at('node_modules')));

  const both = ['--import', './twice.cjs', '--import', 'double.mjs'];

  it('are loaded, of either kind, and several at once', async () => {
    const none = await run(['inspect', 'custom']);
    expect(none.code).toBe(1);
    expect(none.stderr).toMatch(/Twice.*--import <module> loads a module/);
    const to = ['convert', 'custom', 'custom3', '--to', 'stock'];
    expect((await run(to)).stderr).toMatch(/Twice.*--import <module> loads/);
    expect((await run([...to, ...both])).stderr).toBe('');
    const one = await run(['inspect', 'custom', '--import', './twice.cjs']);
    expect(one.stderr).toContain('Double');
    const {code, stdout, stderr} = await run(['inspect', 'custom', ...both]);
    expect({code, stderr}).toEqual({code: 0, stderr: ''});
    expect(stdout).toMatch(/^norm +BatchNorm/m);
    const folded = await run(['fold', 'custom', 'custom2', ...both]);
    expect(folded.stderr).toBe('');
    expect(folded.stdout).toContain('Folded 1 of 1');
  });

  it('are named if they are missing', async () => {
    const {code, stderr} = await run([
      'inspect',
      'model',
      '--import',
      './no.js',
    ]);
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^tfjs-normalization: --import \.\/no\.js: there is no such file .*\n$/,
    );
    const broken = await run(['inspect', 'model', '--import', './broken.mjs']);
    expect(broken.code).toBe(1);
    expect(broken.stderr).toBe(
      'tfjs-normalization: --import ./broken.mjs: it does not load: no luck\n',
    );
  });
});

describe('F10: the metadata of a user', () => {
  it.each([
    ['fold', []],
    ['convert', ['--to', 'stock']],
    ['convert', ['--to', 'normalization']],
  ])('is kept by %s %j', async (command, options) => {
    const artifacts = await fileSystem(at('model')).load?.();
    const userDefinedMetadata = {classes: ['a', 'b'], version: 3};
    const input = {...artifacts, userDefinedMetadata} as tf.io.ModelArtifacts;
    await fileSystem(at('told')).save?.(input);
    const args = [command, 'told', 'told2', '--force', ...options];
    expect((await run(args)).code).toBe(0);
    const written = await fileSystem(at('told2')).load?.();
    expect(written?.userDefinedMetadata).toEqual(userDefinedMetadata);
  });
});

describe('F10: quantized weights', () => {
  /** Saves the model with its first kernel quantized to bytes. */
  async function quantized(path: string, scale: number): Promise<void> {
    const artifacts = await fileSystem(at('model')).load?.();
    if (artifacts === undefined) throw new Error('there is no model');
    const [first, ...others] = artifacts.weightSpecs ?? [];
    if (first === undefined) throw new Error('there are no weights');
    const size = first.shape.reduce((a, b) => a * b, 1);
    const rest = new Uint8Array(artifacts.weightData as ArrayBuffer, 4 * size);
    const data = new Uint8Array([...Array(size).keys(), ...rest]);
    const quantization = {dtype: 'uint8' as const, scale, min: -1};
    await fileSystem(path).save?.({
      ...artifacts,
      weightSpecs: [{...first, quantization}, ...others],
      weightData: data.buffer,
    });
  }

  it('are kept by convert', async () => {
    await quantized(at('small'), 0.25);
    for (const to of ['stock', 'normalization']) {
      const {code} = await run(['convert', 'small', `small-${to}`, '--to', to]);
      expect(code).toBe(0);
      const [before, after] = [
        await fileSystem(at('small')).load?.(),
        await fileSystem(at(`small-${to}`)).load?.(),
      ];
      expect(after?.weightSpecs?.[0]?.quantization).toEqual(
        before?.weightSpecs?.[0]?.quantization,
      );
      const bytes = (a?: tf.io.ModelArtifacts): Buffer =>
        Buffer.from(a?.weightData as ArrayBuffer);
      expect(bytes(after).equals(bytes(before))).toBe(true);
    }
  });

  it('are reported if folding writes them as float32', async () => {
    await quantized(at('small2'), 0.25);
    const {stdout} = await run(['fold', 'small2', 'small2-folded']);
    expect(stdout).toContain(
      'Its weights were quantized to uint8. They are written as float32, which ' +
        'takes\nup to 4 times the space.\n',
    );
    const json = await run(['fold', 'small2', 'small3-folded', '--json']);
    expect(parsed(json.stdout)).toMatchObject({dequantized: ['uint8']});
    const plain = await run(['fold', 'model', 'plain', '--json']);
    expect(parsed(plain.stdout)).toMatchObject({dequantized: []});
  });
});
