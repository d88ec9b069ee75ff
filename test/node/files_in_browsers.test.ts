import {fileSystem} from '../../src/node/files.browser.js';

describe('F32: tfjs-normalization/node in a bundle for browsers', () => {
  it('names the problem and the remedy', () => {
    expect(() => fileSystem('my-model')).toThrow(
      /^fileSystem: .* is for Node, .*indexeddb.* Received: path="my-model"$/,
    );
  });
});
