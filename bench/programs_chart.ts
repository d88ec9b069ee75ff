import {aboveChart, axisStyle, INK, renderSvg} from '../tools/svg.js';
import {rounded} from './figures.js';
import {ORDER, type ProgramRow, ratioOf, type Variant} from './results.js';

const WIDTH = 760;
const ROW_HEIGHT = 17;
const TOP = 84;
const BOTTOM = 56;

/** What is drawn: a name for the legend, a variant and a color. */
const BARS: ReadonlyArray<readonly [string, Variant, string]> = [
  ['stock tf.js', 'stock', '#c2760c'],
  ['stock, patched', 'patched', '#2f9e5b'],
  ['this package', 'ours', '#3b82f6'],
];

/**
 * Draws, as SVG, how many times as long a whole program takes with normalization as
 * without.
 */
export function drawPrograms(programs: readonly ProgramRow[]): string {
  const rows = ORDER.flatMap((backend) =>
    programs.filter((row) => row.backend === backend),
  );
  const frame = {
    title: 'Whole programs: time, relative to no normalization',
    width: WIDTH,
    height: TOP + BOTTOM + ROW_HEIGHT * (BARS.length + 1) * rows.length,
  };
  return renderSvg(frame, {
    legend: aboveChart(BARS.map(([name]) => ({name, icon: 'rect'}))),
    grid: {left: 260, right: 72, top: TOP, bottom: BOTTOM},
    xAxis: {
      ...axisStyle('times as long as without normalization', 30),
      type: 'value',
    },
    yAxis: {
      type: 'category',
      inverse: true,
      data: rows.map(
        ({backend, program, norm}) => `${program}, ${norm}, ${backend}`,
      ),
      axisLine: {show: false},
      axisTick: {show: false},
      axisLabel: {color: INK, interval: 0},
    },
    series: BARS.map(([name, variant, color]) => ({
      type: 'bar',
      name,
      data: rows.map(({cells}) => ratioOf(cells[variant], cells.none)),
      color,
      barWidth: 12,
      label: {
        show: true,
        position: 'right',
        color: INK,
        formatter: ({value}) =>
          typeof value === 'number' ? rounded(value) : '',
      },
    })),
  });
}
