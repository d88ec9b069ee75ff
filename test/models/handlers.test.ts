import * as tf from '@tensorflow/tfjs';
import {loaderOf, saverOf} from '../../src/models/handlers.js';

const WHO = 'someFunction';

/** Registers handlers for a scheme of their own. */
function register(
  scheme: string,
  times: number,
  handler: tf.io.IOHandler,
): void {
  const router = (url: string | string[]): tf.io.IOHandler =>
    (url === `${scheme}://x` ? handler : null) as tf.io.IOHandler;
  for (let i = 0; i < times; i++) {
    tf.io.registerLoadRouter(router);
    tf.io.registerSaveRouter(router);
  }
}

const artifacts: tf.io.ModelArtifacts = {format: 'layers-model'};
const saved = {
  modelArtifactsInfo: {
    dateSaved: new Date(0),
    modelTopologyType: 'JSON' as const,
  },
};
const handler: tf.io.IOHandler = {
  load: () => Promise.resolve(artifacts),
  save: () => Promise.resolve(saved),
};

describe('loaderOf and saverOf', () => {
  it('take a handler, or the one that is registered for a URL', async () => {
    register('once', 1, handler);
    for (const place of [handler, 'once://x']) {
      expect(await loaderOf(place, WHO)()).toBe(artifacts);
      expect(await saverOf(place, WHO)(artifacts)).toBe(saved);
    }
  });

  it('refuse a URL with two handlers', () => {
    register('twice', 2, handler);
    const message =
      /someFunction: 2 handlers are registered.*url="twice:\/\/x"/;
    expect(() => loaderOf('twice://x', WHO)).toThrow(message);
    expect(() => saverOf('twice://x', WHO)).toThrow(message);
  });

  it('refuse what does not load or save', () => {
    expect(() => loaderOf({}, WHO)).toThrow(/must be a URL or an IOHandler/);
    expect(() => saverOf({}, WHO)).toThrow(
      /must be a URL of a registered scheme/,
    );
    expect(() => saverOf('nothing://x', WHO)).toThrow(/Received: target/);
    expect(() => loaderOf(null as never, WHO)).toThrow(/Received: source/);
  });

  it('take a path of no known scheme for a relative URL', () => {
    expect(loaderOf('model.json', WHO)).toBeInstanceOf(Function);
  });
});
