import {
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import {join} from 'node:path';
import type {Metrics, RunMetrics} from '../../examples/digits/metrics.js';
import {
  endOf,
  newFolder,
  readMetrics,
  runDigits,
  snapshot,
  startDigits,
} from './digits_program.js';
import {writeIdxFolder} from './idx_files.js';

const DIGITS = join('examples', 'digits', 'data', 'digits.csv');

let folder: string;
let out: string;

beforeAll(() => {
  folder = newFolder();
  out = join(folder, 'out');
});

afterAll(() => rmSync(folder, {recursive: true}));

/** What does not depend on how fast the machine is. */
function learnt({runs}: Metrics): RunMetrics[] {
  return runs.map((run) => ({
    ...run,
    secondsPerEpoch: null,
    stockSecondsPerEpoch: null,
  }));
}

describe('the main job', () => {
  it('trains, saves, loads again, and tells', async () => {
    const args = ['--epochs', '2', '--norm', 'none,batch', '--seed', '5'];
    const {code, stdout, stderr} = await runDigits(...args, '--out', out);
    expect({code, stderr}).toEqual({code: 0, stderr: ''});
    expect(stdout).toMatch(/^none +epoch 1\/2 +loss \d/m);
    expect(stdout).toContain('BatchNorm passes that in epoch 1');
    expect(stdout).toContain('every prediction is the same, bit for bit');
    for (const line of stdout.split('\n')) {
      expect(line.length).toBeLessThanOrEqual(80 + out.length);
    }
    for (const file of ['metrics.json', 'chart.svg', 'batch/model.json']) {
      expect(stdout).toContain(join(out, file));
      expect(existsSync(join(out, file))).toBe(true);
    }
    expect(Object.keys(snapshot(out)).join()).not.toContain('.tmp');
  });

  it('writes metrics as they are documented', () => {
    const {runs, ...settings} = readMetrics(out);
    expect(settings).toEqual({
      data: {path: DIGITS, training: 1437, validation: 360, pixels: 64},
      backend: 'wasm',
      seed: 5,
      activation: 'sigmoid',
      epochs: 2,
      batchSize: 60,
      learningRate: 0.1,
      momentum: 0.99,
      movingAverage: 'debiased',
      stopped: false,
    });
    expect(runs.map(({norm}) => norm)).toEqual(['none', 'batch']);
    for (const run of runs) {
      const {norm, loss, accuracy, valLoss, valAccuracy} = run;
      for (const list of [loss, accuracy, valLoss, valAccuracy]) {
        expect(list).toHaveLength(2);
        for (const value of list) expect(value).toEqual(expect.any(Number));
      }
      expect(run.secondsPerEpoch).toBeGreaterThan(0);
      expect(run.stockSecondsPerEpoch).toBeGreaterThan(0);
      expect(run.model).toBe(`${norm}/model.json`);
      expect(run.valAccuracyRecalibrated).toBeNull();
      expect(run.reloadedEqual).toBe(true);
    }
    const [none, batch] = runs;
    expect(Math.max(...(none?.valAccuracy ?? [1]))).toBeLessThan(0.5);
    // Worse than in any of the runs in measured.md.
    expect(batch?.valAccuracy[1]).toBeGreaterThan(0.6);
  });

  it('repeats a run of the same seed, whatever runs beside it', async () => {
    const args = ['--epochs', '2', '--norm', 'batch', '--quiet'];
    const again = join(folder, 'again');
    const {code, stdout} = await runDigits(
      ...args,
      '--seed',
      '5',
      '--out',
      again,
    );
    expect(code).toBe(0);
    // Quiet: the table comes first.
    expect(stdout).toMatch(/^ +Validation accuracy/);
    expect(learnt(readMetrics(again))).toEqual(
      learnt(readMetrics(out)).slice(1),
    );
  });

  // After one epoch at this rate Keras's average is mostly where it started; with
  // the statistics of the training set the same network reads most digits.
  it('shows what recalibration gives', async () => {
    const to = join(folder, 'recalibrated');
    const args = ['--epochs', '1', '--norm', 'none,batch', '--out', to];
    const lagging = [
      '--learning-rate',
      '0.5',
      '--moving-average',
      'exponential',
    ];
    const {code, stdout} = await runDigits(
      ...args,
      ...lagging,
      '--recalibrate',
    );
    expect(code).toBe(0);
    expect(stdout).toContain('Recalibrated on the training set, BatchNorm');
    const [none, batch] = readMetrics(to).runs;
    expect(none?.valAccuracyRecalibrated).toBeNull();
    expect(batch?.valAccuracy[0]).toBeLessThan(0.4);
    expect(batch?.valAccuracyRecalibrated?.[0]).toBeGreaterThan(0.7);
  });

  it('reads IDX files', async () => {
    const data = join(folder, 'idx');
    mkdirSync(data);
    writeIdxFolder(data, {train: 600, t10k: 40});
    const to = join(folder, 'idx-out');
    const args = [
      '--data',
      data,
      '--out',
      to,
      '--norm',
      'layer',
      '--epochs',
      '2',
    ];
    const tuned = ['--activation', 'relu', '--learning-rate', '0.3'];
    const {code, stderr} = await runDigits(...args, ...tuned);
    expect({code, stderr}).toEqual({code: 0, stderr: ''});
    const {data: read, runs} = readMetrics(to);
    expect(read).toMatchObject({training: 600, validation: 40, pixels: 12});
    expect(runs[0]?.reloadedEqual).toBe(true);
    expect(runs[0]?.valAccuracy[1]).toBeGreaterThan(0.5);
  });
});

describe('bad input', () => {
  /** Nine images, one line of them changed. */
  const changed = (line: number, change: (text: string) => string): string => {
    const lines = readFileSync(DIGITS, 'utf8').split('\n').slice(0, 9);
    const file = join(folder, 'changed.csv');
    const edited = lines.map((t, i) => (i + 1 === line ? change(t) : t));
    writeFileSync(file, edited.join('\n'));
    return file;
  };

  const written = (text: string): string => {
    const file = join(folder, 'written.csv');
    writeFileSync(file, text);
    return file;
  };

  const truncated = (): string => {
    const data = join(folder, 'truncated');
    mkdirSync(data);
    writeIdxFolder(data, {train: 20, t10k: 10});
    const file = join(data, 't10k-images-idx3-ubyte');
    writeFileSync(file, readFileSync(file).subarray(0, 40));
    return data;
  };

  it.each<[string, () => string[], RegExp]>([
    [
      'a missing file',
      () => ['--data', join(folder, 'none.csv')],
      /none\.csv: cannot be read: no such file or folder$/,
    ],
    [
      'an empty file',
      () => ['--data', written('')],
      /written\.csv: the file is empty$/,
    ],
    [
      'a ragged row',
      () => ['--data', changed(7, (text) => `${text},1`)],
      /changed\.csv, line 7: 66 values, where line 1 has 65$/,
    ],
    [
      'a row that is not numeric',
      () => ['--data', changed(4, (text) => `x${text}`)],
      /changed\.csv, line 4, value 1: "x0" is not a number$/,
    ],
    [
      'a label out of range',
      () => ['--data', changed(9, (text) => `${text}0`)],
      /changed\.csv, line 9: the label is 80, not an integer from 0 to 9$/,
    ],
    [
      'one image',
      () => ['--data', written('0,16,3\n')],
      /written\.csv: only one image/,
    ],
    [
      'a truncated IDX file',
      () => ['--data', truncated()],
      /t10k-images-idx3-ubyte: truncated: 40 bytes, where .* asks for 136$/,
    ],
    [
      'a folder without IDX files',
      () => ['--data', 'examples'],
      /^examples: no train-images-idx3-ubyte in it/,
    ],
    [
      'an output folder that is a file',
      () => ['--out', written('text')],
      /written\.csv: cannot be written: a file is in the way$/,
    ],
    [
      'an output folder in a file',
      () => ['--out', join(DIGITS, 'out')],
      /out: cannot be written: a file is in the way$/,
    ],
    ['an unknown option', () => ['--verbose'], /unknown option '--verbose'/],
    ['an unknown value', () => ['--norm', 'group'], /'group' is invalid/],
  ])(
    '%s: one line, exit code 2, nothing written over',
    async (_, args, line) => {
      const all = ['--out', out, '--epochs', '1', ...args()];
      const before = snapshot(folder);
      const {code, stdout, stderr} = await runDigits(...all);
      expect(stderr.split('\n')).toEqual([expect.stringMatching(line), '']);
      expect({code, stdout}).toEqual({code: 2, stdout: ''});
      expect(snapshot(folder)).toEqual(before);
    },
  );
});

describe('Ctrl-C', () => {
  it('finishes the batch, saves, says so, and exits 130', async () => {
    const to = join(folder, 'stopped');
    const args = ['--epochs', '100000', '--norm', 'batch', '--out', to];
    const child = startDigits(...args);
    const ended = endOf(child);
    child.stdout?.on('data', (data: Buffer) => {
      if (/^batch +epoch/m.test(data.toString())) child.kill('SIGINT');
    });
    const {code, stdout, stderr} = await ended;
    expect({code, stderr}).toEqual({code: 130, stderr: ''});
    expect(stdout).toMatch(
      /Stopped by Ctrl-C after \d+ whole epochs? of batch/,
    );
    expect(stdout).toContain(join(to, 'batch', 'model.json'));
    const {stopped, runs} = readMetrics(to);
    expect(stopped).toBe(true);
    expect(runs[0]?.valAccuracy.length).toBeGreaterThan(0);
    expect(runs[0]?.reloadedEqual).toBeNull();
    const model = readFileSync(join(to, 'batch', 'model.json'), 'utf8');
    expect(model).toContain('"BatchNorm"');
  });
});
