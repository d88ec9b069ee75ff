import {fileSystem} from '../../src/node/files.browser.js';

describe('F32: tfjs-normalization/node in a bundle for browsers', () => {
  it('says what is wrong and what to do', () => {
    expect(() => fileSystem('my-model')).toThrow(
      /^fileSystem: .* is for Node, .*indexeddb.* Received: path="my-model"$/,
    );
  });
});
