import type {SeriesOption} from 'echarts';
import {aboveChart, axisStyle, INK, renderSvg} from '../tools/svg.js';
import type {BackendName} from '../tools/backend_names.js';
import {isLast, nameOf} from './cases.js';
import {rounded, shortReason} from './figures.js';
import {
  type Contender,
  type GpuBackend,
  isStockNorm,
  isTiming,
  type LayerRow,
  ORDER,
  ratioOf,
} from './results.js';

/** The color around marks, which lie on bars. */
const EDGE = '#ffffff';

const TITLE = 'A training step: time, relative to this package';
const WIDTH = 760;
const ROW_HEIGHT = 17;
const TOP = 84;
const BOTTOM = 56;

/** Of medium lightness: readable on white and on black. */
const COLORS: Readonly<Record<BackendName | GpuBackend, string>> = {
  cpu: '#2f9e5b',
  wasm: '#3b82f6',
  tensorflow: '#c2760c',
  webgl: '#9b59d0',
  webgpu: '#0e9aa7',
};

/** A line of the chart; an empty one separates two inputs. */
type Line = LayerRow | undefined;

/** Draws, as SVG, the times of others relative to fused kernels. */
export function drawChart(rows: readonly LayerRow[]): string {
  const lines = linesOf(rows);
  const {lowest, highest} = extentOf(lines);
  const frame = {
    title: TITLE,
    width: WIDTH,
    height: TOP + BOTTOM + ROW_HEIGHT * Math.max(lines.length, 1),
  };
  return renderSvg(frame, {
    legend: aboveChart(legendOf(lines)),
    grid: {left: 176, right: 72, top: TOP, bottom: BOTTOM},
    xAxis: {
      ...axisStyle('times as long as with this package, logarithmic', 30),
      type: 'log',
      min: lowest,
      max: highest,
      startValue: 1,
      minorSplitLine: {show: false},
    },
    yAxis: {
      type: 'category',
      inverse: true,
      data: lines.map((_, i) => i),
      axisLine: {show: false},
      axisTick: {show: false},
      axisLabel: {
        color: INK,
        interval: 0,
        formatter: (_: string, i: number) => labelOf(lines, i),
      },
    },
    series: [
      ...ORDER.map((backend) => barsOf(backend, lines)),
      marksOf('composed core ops', 'composed', 'emptyCircle', lines),
      marksOf('PyTorch', 'torch', 'diamond', lines),
      missingOf(lines, highest),
    ],
  });
}

/** Selects training steps that stock has, with the features last, grouped by input. */
function linesOf(rows: readonly LayerRow[]): Line[] {
  const shown = rows.filter(
    (row) =>
      row.mode === 'forward and backward' &&
      isStockNorm(row.norm) &&
      isLast(row) &&
      isTiming(row.cells.fused),
  );
  const names = [...new Set(shown.map(nameOf))];
  return names.flatMap((name, i) => {
    const group = shown.filter((row) => nameOf(row) === name);
    return i === 0 ? group : [undefined, ...group];
  });
}

/** Puts the input beside the middle of its lines. */
function labelOf(lines: readonly Line[], i: number): string {
  const row = lines[i];
  if (row === undefined) return '';
  const name = nameOf(row);
  const first = lines.findIndex((line) => line && nameOf(line) === name);
  const count = lines.filter((line) => line && nameOf(line) === name).length;
  return i === first + Math.floor((count - 1) / 2) ? name : '';
}

function legendOf(lines: readonly Line[]): object[] {
  const backends = new Set(lines.map((line) => line?.backend));
  const bars = ORDER.filter((backend) => backends.has(backend));
  return [
    ...bars.map((backend) => ({name: barName(backend), icon: 'rect'})),
    {name: 'composed core ops'},
    ...(pointsOf(lines, 'torch').length > 0 ? [{name: 'PyTorch'}] : []),
  ];
}

const barName = (backend: LayerRow['backend']): string => `stock, ${backend}`;

/** Uses whole powers of ten; anything faster lies left of 1. */
function extentOf(lines: readonly Line[]): {lowest: number; highest: number} {
  const ratios = lines.flatMap((line) =>
    line ? SHOWN.map((contender) => ratioTo(line, contender) ?? 1) : [],
  );
  return {
    lowest: 10 ** Math.floor(Math.log10(Math.min(1, ...ratios))),
    highest: 10 ** Math.ceil(Math.log10(Math.max(10, ...ratios))),
  };
}

const SHOWN: readonly Contender[] = ['stock', 'composed', 'torch'];

const ratioTo = ({cells}: LayerRow, contender: Contender): number | null =>
  ratioOf(cells[contender], cells.fused);

function pointsOf(
  lines: readonly Line[],
  contender: Contender,
  isShown: (row: LayerRow) => boolean = () => true,
): Array<[number, number]> {
  return lines.flatMap((row, i) => {
    const ratio = row && isShown(row) ? ratioTo(row, contender) : null;
    return ratio === null ? [] : [[ratio, i] as [number, number]];
  });
}

function barsOf(
  backend: LayerRow['backend'],
  lines: readonly Line[],
): SeriesOption {
  return {
    type: 'bar',
    name: barName(backend),
    data: pointsOf(lines, 'stock', (row) => row.backend === backend),
    color: COLORS[backend],
    barWidth: 12,
    // Each line has one bar, of one series.
    barGap: '-100%',
    label: {
      show: true,
      position: 'right',
      color: INK,
      formatter: ({value}) => rounded((value as number[])[0] ?? NaN),
    },
  };
}

function marksOf(
  name: string,
  contender: Contender,
  symbol: string,
  lines: readonly Line[],
): SeriesOption {
  return {
    type: 'scatter',
    name,
    data: pointsOf(lines, contender),
    symbol,
    symbolSize: 9,
    itemStyle: {opacity: 1, borderWidth: 1.5, borderColor: EDGE},
    color: contender === 'torch' ? '#d9485f' : INK,
    z: 3,
  };
}

/** Writes the reason at the other end of the line, where stock has no bar. */
function missingOf(lines: readonly Line[], end: number): SeriesOption {
  const data = lines.flatMap((row, i) => {
    const stock = row?.cells.stock;
    if (stock === undefined || isTiming(stock)) return [];
    return [{value: [end, i], name: shortReason(stock.unavailable)}];
  });
  return {
    type: 'scatter',
    data,
    symbolSize: 0,
    silent: true,
    markLine: {
      symbol: 'none',
      silent: true,
      lineStyle: {color: INK, type: 'solid', width: 1},
      label: {show: false},
      data: [{xAxis: 1}],
    },
    label: {
      show: true,
      position: 'left',
      color: INK,
      fontStyle: 'italic',
      formatter: ({name}) => `stock: ${name}`,
    },
  };
}
