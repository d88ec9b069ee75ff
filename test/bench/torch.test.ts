import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {casesOf} from '../../bench/cases.js';
import {Torch} from '../../bench/torch.js';
import {temporaryFolder} from '../package/scripts.js';

const folder = temporaryFolder();

/** A program instead of Python's: it takes and prints JSON. */
function script(name: string, text: string): string {
  const path = join(folder, `${name}.cjs`);
  writeFileSync(path, text);
  return path;
}

const start = (path: string): ReturnType<typeof Torch.start> =>
  Torch.start(process.execPath, path);

const ECHO = `
  console.log(JSON.stringify({version: '9.9'}));
  let threads;
  require('node:readline').createInterface({input: process.stdin}).on(
    'line',
    (line) => {
      const request = JSON.parse(line);
      threads = request.threads ?? threads;
      const answer = request.run
        ? {milliseconds: threads}
        : request.norm === 'batch norm' ? {ready: true} : {error: 'no such norm'};
      console.log(JSON.stringify(answer));
    },
  );`;

const [batchNorm] = casesOf([[2, 3]]);
if (batchNorm === undefined) throw new Error('no cases');

describe('Torch', () => {
  it('asks and gets answers in turn', async () => {
    const {torch, version} = await start(script('echo', ECHO));
    expect(version).toBe('9.9');
    await torch.prepare(batchNorm, 3);
    expect([await torch.run(), await torch.run()]).toEqual([3, 3]);
    const layerNorm = {...batchNorm, norm: 'layer norm' as const};
    await expect(torch.prepare(layerNorm, 1)).rejects.toThrow('no such norm');
    // An error is an answer like any other.
    expect(await torch.run()).toBe(1);
    torch.close();
  });

  it('gives the reason why there is no PyTorch', async () => {
    const failing = script('failing', `throw new Error('No module: torch')`);
    await expect(start(failing)).rejects.toThrow(/^python ended: /);
  });

  it('reports that it ended too early', async () => {
    const ending = script('ending', `console.log('{"version": "1"}')`);
    const {torch} = await start(ending);
    await expect(torch.run()).rejects.toThrow(/^python ended/);
  });

  it('reports that there is no Python', async () => {
    const missing = join(folder, 'python');
    await expect(Torch.start(missing)).rejects.toThrow(
      `${missing} does not start: no such file or folder`,
    );
  });
});
