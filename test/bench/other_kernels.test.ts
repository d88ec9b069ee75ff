import {execFileSync} from 'node:child_process';
import {join} from 'node:path';
import {OtherKernels} from '../../bench/other_kernels.js';
import {measureProgram} from '../../bench/programs.js';
import {isTiming} from '../../bench/results.js';
import {PROGRAMS} from '../../bench/whole_programs.js';

/** Compiled by `npm run test:all` before the tests run. */
const PROGRAM = join(__dirname, '../../build/bench/other_kernels_program.js');

const small = PROGRAMS.find(({program}) => program === 'small MLP');
if (!small) throw new Error('there is no small MLP');

describe('the kernels beside the native ones, in a process of their own', () => {
  it('compute there whatever the environment asks for', () => {
    const wish = execFileSync(
      process.execPath,
      [
        '-e',
        `require(${JSON.stringify(PROGRAM)});
         console.log(process.env.TFJS_NORMALIZATION_NATIVE);
         process.exit();`,
      ],
      {
        encoding: 'utf8',
        env: {...process.env, TFJS_NORMALIZATION_NATIVE: '1'},
        stdio: 'pipe',
      },
    );
    expect(wish.trim()).toBe('0');
  });

  it('are prepared, run and measured with a program, and report errors', async () => {
    const others = await OtherKernels.start('cpu', PROGRAM);
    try {
      await expect(others.run('ours')).rejects.toThrow('prepared');
      await expect(
        others.prepareProgram('large MLP', 'batch norm'),
      ).rejects.toThrow('there is no program large MLP');
      const schedule = {budget: 50, runs: 2, warmUp: 1};
      const {cells, otherKernels} = await measureProgram(
        'cpu',
        small,
        {programSchedule: schedule, epochs: 1},
        {others},
      );
      expect(otherKernels && isTiming(otherKernels)).toBe(true);
      expect(Object.values(cells).every(isTiming)).toBe(true);
      // No other normalization has been prepared there.
      await expect(others.run('none')).rejects.toThrow('prepared');
    } finally {
      others.close();
    }
  });
});
