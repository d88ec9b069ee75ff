import {join} from 'node:path';
import {parsed, run, savedModel} from './support.js';

beforeAll(savedModel);

describe('inspect', () => {
  it('prints a table', async () => {
    const {code, stdout, stderr} = await run(['inspect', 'model']);
    expect({code, stderr}).toEqual({code: 0, stderr: ''});
    expect(stdout).toMatch(/^layer +kind +axis +gamma/);
    expect(stdout).toMatch(/^norm +BatchNorm +-1 +1 +0 +0 +1$/m);
    expect(stdout).toContain('norm: the moving statistics have never moved');
  });

  it('prints JSON', async () => {
    const file = join('model', 'model.json');
    const {stdout} = await run(['inspect', '--json', file]);
    expect(parsed(stdout)).toMatchObject({
      model: file,
      layers: [
        {layer: 'norm', kind: 'BatchNorm', weights: {gamma: {min: 1, max: 1}}},
        {layer: 'stock', kind: 'BatchNormalization'},
      ],
    });
  });
});
