import {existsSync} from 'node:fs';
import {join} from 'node:path';
import * as tf from '@tensorflow/tfjs';
import 'tfjs-normalization/node';
import {FileSystemHandler} from '../../src/node/file_system.js';
import {pathOfUrl} from '../../src/node/scheme.js';
import {artifactsOf, makeModel, predictions, useFolder} from './support.js';

const folder = useFolder();

describe('the file:// scheme', () => {
  it('saves and loads as fileSystem does', async () => {
    const model = makeModel();
    await model.save(`file://${folder()}/model`);
    const url = `file://${folder()}/model/model.json`;
    const loaded = await tf.loadLayersModel(url);
    expect(predictions(loaded)).toEqual(predictions(model));
    expect(existsSync(join(folder(), 'model', 'model.json'))).toBe(true);
  });

  it('reports the progress', async () => {
    await makeModel().save(`file://${folder()}`);
    const onProgress = jest.fn();
    await tf.loadLayersModel(`file://${folder()}/model.json`, {onProgress});
    expect(onProgress).toHaveBeenLastCalledWith(1);
  });

  it('copies models', async () => {
    const model = makeModel();
    const url = `file://${folder()}`;
    await model.save(`${url}/a`);
    const loaded = await tf.loadLayersModel(`${url}/a/model.json`);
    await loaded.save(`${url}/b`);
    const copy = await tf.loadLayersModel(`${url}/b/model.json`);
    expect(predictions(copy)).toEqual(predictions(model));
  });

  it('loads graph models', async () => {
    const float = {dtype: {type: 'DT_FLOAT'}};
    const tensor = {dtype: 'DT_FLOAT', tensorShape: {dim: [{size: '2'}]}};
    const node = [
      {name: 'x', op: 'Placeholder', attr: {...float}},
      {name: 'w', op: 'Const', attr: {...float, value: {tensor}}},
      {name: 'y', op: 'AddV2', input: ['x', 'w'], attr: {}},
    ];
    await new FileSystemHandler(folder()).save({
      ...artifactsOf(3, 2),
      modelTopology: {node, versions: {producer: 1, minConsumer: 1}},
      format: 'graph-model',
    });
    const model = await tf.loadGraphModel(`file://${folder()}/model.json`);
    const y = model.predict(tf.tensor1d([1, 2])) as tf.Tensor;
    expect(Array.from(y.dataSync())).toEqual([4, 5]);
    await model.save(`file://${folder()}/again`);
    const again = await new FileSystemHandler(`${folder()}/again`).load();
    expect(again.format).toBe('graph-model');
  });

  it('throws the error of fileSystem', async () => {
    await expect(
      tf.loadLayersModel(`file://${folder()}/nothing.json`),
    ).rejects.toThrow(/^fileSystem .*: there is no .* Received: path=/);
  });

  it.each(['http://host/model.json', 'model.json', '/file://x', 'FILE://x'])(
    'ignores %s',
    (url) => {
      const handlers = [
        ...tf.io.getLoadHandlers(url),
        ...tf.io.getSaveHandlers(url),
      ];
      expect(handlers.some((h) => h instanceof FileSystemHandler)).toBe(false);
    },
  );

  it('leaves pairs of URLs to others', () => {
    const urls = ['file://a/model.pb', 'file://a/weights_manifest.json'];
    expect(tf.io.getLoadHandlers(urls)).toEqual([]);
  });
});

describe('pathOfUrl', () => {
  it.each([
    ['file:///tmp/model', '/tmp/model', '/tmp/model'],
    ['file://./model', './model', './model'],
    ['file://model', 'model', 'model'],
    ['file:///tmp/a%20b', '/tmp/a%20b', '/tmp/a%20b'],
    ['file:///C:/model', '/C:/model', 'C:/model'],
    ['file://C:\\model', 'C:\\model', 'C:\\model'],
  ])('of %s is %s, on Windows %s', (url, posix, windows) => {
    expect(pathOfUrl(url, 'linux')).toBe(posix);
    expect(pathOfUrl(url, 'win32')).toBe(windows);
  });

  it('is undefined for anything else', () => {
    expect(pathOfUrl('http://x')).toBeUndefined();
    expect(pathOfUrl(['file://x', 'file://y'])).toBeUndefined();
  });
});

describe('with another router for file://', () => {
  const URL = 'file://somewhere/model.json';

  type Core = typeof import('@tensorflow/tfjs-core');

  /** Registers routers for both, as tfjs-node does, and never removes them. */
  function registerAnother(core: Core, answers = (): boolean => true): object {
    const another = {};
    const router = (url: string | string[]): tf.io.IOHandler | null =>
      String(url).startsWith('file://') && answers() ? another : null;
    core.io.registerLoadRouter(router as () => tf.io.IOHandler);
    core.io.registerSaveRouter(router as () => tf.io.IOHandler);
    return another;
  }

  /** Runs a function with a tfjs in which nothing is registered yet. */
  function withNewCore(act: (core: Core) => void): void {
    jest.isolateModules(() => {
      act(jest.requireActual<Core>('@tensorflow/tfjs-core'));
    });
  }

  function loadPackage(): void {
    jest.requireActual('tfjs-normalization/node');
  }

  function handlersOf({io}: Core): [save: object[], load: object[]] {
    return [io.getSaveHandlers(URL), io.getLoadHandlers(URL)];
  }

  it('that comes first, that one is used', () => {
    withNewCore((core) => {
      const another = registerAnother(core);
      loadPackage();
      expect(handlersOf(core)).toEqual([[another], [another]]);
      expect(handlersOf(core)[0][0]).toBe(another);
    });
  });

  it('that comes later, that one is used from then on', () => {
    withNewCore((core) => {
      loadPackage();
      const [[save], [load]] = handlersOf(core);
      expect([save, load].map((h) => h?.constructor.name)).toEqual([
        'FileSystemHandler',
        'FileSystemHandler',
      ]);
      const another = registerAnother(core);
      const [saves, loads] = handlersOf(core);
      expect([saves.length, loads.length]).toEqual([1, 1]);
      expect([saves[0] === another, loads[0] === another]).toEqual([
        true,
        true,
      ]);
    });
  });

  it('that fails, ours answers again afterwards', () => {
    withNewCore((core) => {
      loadPackage();
      let fails = true;
      registerAnother(core, () => {
        if (fails) throw new Error('not now');
        return false;
      });
      expect(() => handlersOf(core)).toThrow('not now');
      fails = false;
      expect(handlersOf(core).map(({length}) => length)).toEqual([1, 1]);
    });
  });

  it('that is a second copy of this package, one of them answers', () => {
    withNewCore((core) => {
      loadPackage();
      jest.resetModules();
      jest.doMock('@tensorflow/tfjs-core', () => core);
      loadPackage();
      jest.dontMock('@tensorflow/tfjs-core');
      expect(handlersOf(core).map(({length}) => length)).toEqual([1, 1]);
    });
  });
});
