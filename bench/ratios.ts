import {isLast, nameOf} from './cases.js';
import {rounded, spelledRatio} from './figures.js';
import {markdownTable} from './markdown.js';
import {
  type Cell,
  type Contender,
  isStockNorm,
  isTiming,
  type LayerRow,
  type Mode,
  MODES,
  type Norm,
  NORMS,
  ORDER,
  type ProgramRow,
  ratioOf,
  type Results,
} from './results.js';

/** The ratios that the package was to reach in training: stock's time over its own. */
const AIMS: ReadonlyArray<{
  readonly input: string;
  readonly aims: Readonly<Partial<Record<LayerRow['backend'], number>>>;
}> = [
  {
    input: 'batch norm [32,28,28,64]',
    aims: {cpu: 300, wasm: 50, tensorflow: 12},
  },
  {
    input: 'layer norm [16,128,768]',
    aims: {cpu: 400, wasm: 5000, tensorflow: 40},
  },
  {input: 'batch norm [128,1024]', aims: {cpu: 150, wasm: 30, tensorflow: 8}},
  {
    input: 'layer norm [128,1024]',
    aims: {cpu: 300, wasm: 1500, tensorflow: 45},
  },
];

/** Returns a row for each backend and normalization: ratios over all inputs. */
export function layerRatios({layers}: Results): string {
  const backends = ORDER.filter((name) =>
    layers.some((row) => row.backend === name),
  );
  const rows = backends.flatMap((backend) =>
    NORMS.flatMap((norm) => {
      const of = layers.filter(
        (row) => row.backend === backend && row.norm === norm,
      );
      return of.length === 0 ? [] : [[backend, norm, ...cellsOf(of)]];
    }),
  );
  const columns = [...MODES].reverse().map(nameOfMode);
  const head = [
    ...['backend', 'layer'],
    ...columns.map((mode) => `${mode}: stock / here`),
    ...columns.map((mode) => `${mode}: here / PyTorch`),
    'stock fails',
  ];
  return markdownTable({head, rows});
}

function cellsOf(rows: readonly LayerRow[]): string[] {
  const modes = [...MODES].reverse();
  const ratios = (slow: Contender, quick: Contender): string[] =>
    modes.map((mode) => rangeOf(rows, mode, slow, quick));
  const failures = rows.filter(({cells}) => fails(cells.stock)).length;
  return [
    ...ratios('stock', 'fused'),
    ...ratios('fused', 'torch'),
    failures === 0 ? 'never' : `${failures} of ${rows.length}`,
  ];
}

/** Stock that is only too slow to wait for has not failed. */
function fails(cell: Cell): boolean {
  return !isTiming(cell) && /^(wrong|throws)/.test(cell.unavailable);
}

const nameOfMode = (mode: Mode): string =>
  mode === 'inference' ? 'prediction' : 'training';

/** Returns the median over inputs, with the extremes: 50 (26.4 – 111). */
function rangeOf(
  rows: readonly LayerRow[],
  mode: Mode,
  slow: Contender,
  quick: Contender,
): string {
  const ratios = rows
    .filter((row) => row.mode === mode)
    .map(({cells}) => ratioOf(cells[slow], cells[quick]))
    .filter((ratio) => ratio !== null)
    .sort((a, b) => a - b);
  const [least, most] = [ratios[0], ratios[ratios.length - 1]];
  if (least === undefined || most === undefined) return '–';
  const [low, high] = [rounded(least), rounded(most)];
  return `${rounded(middleOf(ratios))} (${low} – ${high})`;
}

function middleOf(sorted: readonly number[]): number {
  const half = (sorted.length - 1) / 2;
  const [low = NaN, high = NaN] = [
    sorted[Math.floor(half)],
    sorted[Math.ceil(half)],
  ];
  return (low + high) / 2;
}

const SEQUENCES = '[16,128,768]';

/**
 * Returns the time of a training step of the normalizations that tf.js lacks, over layer
 * normalization's, for sequences; undefined if none was measured.
 */
export function familyRatios({layers}: Results): string | undefined {
  const stepOf = (
    backend: LayerRow['backend'],
    norm: Norm,
  ): LayerRow | undefined =>
    layers.find(
      (row) =>
        row.backend === backend &&
        row.mode === 'forward and backward' &&
        nameOf(row) === `${norm} ${SEQUENCES}`,
    );
  const family = NORMS.filter((norm) => !isStockNorm(norm));
  const backends = ORDER.filter((backend) =>
    family.some((norm) => stepOf(backend, norm)),
  );
  if (backends.length === 0) return undefined;
  const rows = family.map((norm) => [
    norm,
    ...backends.map((backend) => {
      const [step, other] = [
        stepOf(backend, norm),
        stepOf(backend, 'layer norm'),
      ];
      return spelledRatio(
        step && other ? ratioOf(step.cells.fused, other.cells.fused) : null,
      );
    }),
  ]);
  return (
    `Of a training step on ${SEQUENCES}, in this run, as multiples of layer ` +
    `normalization's time:\n\n${markdownTable({head: ['', ...backends], rows})}`
  );
}

/** Returns a row for each program, with two ratios for each backend. */
export function programRatios({programs}: Results): string {
  const backends = ORDER.filter((name) =>
    programs.some((row) => row.backend === name),
  );
  const names = [...new Set(programs.map(titleOf))];
  const ratio = (
    row: ProgramRow | undefined,
    slow: keyof ProgramRow['cells'],
    quick: keyof ProgramRow['cells'],
  ): string =>
    spelledRatio(row ? ratioOf(row.cells[slow], row.cells[quick]) : null);
  const rows = names.map((name) => {
    const of = backends.map((backend) =>
      programs.find((row) => row.backend === backend && titleOf(row) === name),
    );
    return [
      name,
      ...of.map((row) => ratio(row, 'stock', 'ours')),
      ...of.map((row) => ratio(row, 'ours', 'none')),
    ];
  });
  const head = [
    'program',
    ...backends.map((backend) => `${backend}: stock / here`),
    ...backends.map((backend) => `${backend}: here / none`),
  ];
  return markdownTable({head, rows});
}

const titleOf = ({program, norm}: ProgramRow): string => `${program}, ${norm}`;

/** Returns a row for each model, with before / after folding for each backend. */
export function foldingRatios({folding}: Results): string {
  const backends = ORDER.filter((name) =>
    folding.some((row) => row.backend === name),
  );
  const models = [...new Set(folding.map(({model}) => model))];
  const rows = models.map((model) => [
    model,
    ...backends.map((backend) => {
      const row = folding.find(
        (each) => each.backend === backend && each.model === model,
      );
      return spelledRatio(
        row ? ratioOf(row.cells.before, row.cells.after) : null,
      );
    }),
  ]);
  return markdownTable({head: ['model', ...backends], rows});
}

/** Returns what was reached of each aim, a row for each backend. */
export function aimsReached({layers}: Results): string {
  const backends = ORDER.filter((name) =>
    AIMS.some(({aims}) => aims[name] !== undefined),
  );
  const rows = backends.map((backend) => [
    backend,
    ...AIMS.map(({input, aims}) => {
      const row = layers.find(
        (each) =>
          each.backend === backend &&
          each.mode === 'forward and backward' &&
          nameOf(each) === input,
      );
      const reached = row ? ratioOf(row.cells.stock, row.cells.fused) : null;
      return `${spelledRatio(reached)} of ${rounded(aims[backend] ?? NaN)}`;
    }),
  ]);
  return markdownTable({
    head: ['backend', ...AIMS.map(({input}) => input)],
    rows,
  });
}

const [SMALL, LARGE] = ['[32,28,28,64]', '[64,56,56,32]'] as const;

/** Returns nanoseconds for each value of a training step, at two sizes of images. */
export function growth({layers}: Results): string {
  const steps = layers.filter(
    (row) => row.mode === 'forward and backward' && isLast(row),
  );
  const perValue = (row: LayerRow | undefined): number =>
    row && isTiming(row.cells.fused)
      ? (1e6 * row.cells.fused.median) / row.shape.reduce((a, b) => a * b, 1)
      : NaN;
  const rows = ORDER.flatMap((backend) =>
    NORMS.flatMap((norm) => {
      const find = (shape: string): number =>
        perValue(
          steps.find(
            (row) =>
              row.backend === backend && nameOf(row) === `${norm} ${shape}`,
          ),
        );
      const values = [find(SMALL), find(LARGE)] as const;
      if (values.some(Number.isNaN)) return [];
      const [small, large] = values;
      return [[backend, norm, ...[small, large, large / small].map(rounded)]];
    }),
  );
  return markdownTable({
    head: ['backend', 'layer', SMALL, LARGE, 'ratio'],
    rows,
  });
}
