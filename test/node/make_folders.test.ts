import {existsSync, statSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {makeFolders} from '../../src/node/make_folders.js';
import {temporaryFolder} from '../package/scripts.js';

describe('makeFolders', () => {
  const root = temporaryFolder();

  it('makes a folder and its parents, and accepts an existing one', () => {
    const deep = join(root, 'a', 'b', 'c');
    makeFolders(deep);
    makeFolders(deep);
    expect(statSync(deep).isDirectory()).toBe(true);
  });

  it('reports a file in the way', () => {
    const file = join(root, 'file');
    writeFileSync(file, '');
    expect(() => makeFolders(file)).toThrow('EEXIST');
    expect(() => makeFolders(join(file, 'below'))).toThrow(/ENOTDIR|EEXIST/);
  });

  // Node's own recursive mkdir never returns there.
  const inProc = '/proc/nothing/can/be/made/here';
  if (existsSync('/proc/self')) {
    it('returns where nothing can be made', () => {
      expect(() => makeFolders(inProc)).toThrow('ENOENT');
    });
  }
});
