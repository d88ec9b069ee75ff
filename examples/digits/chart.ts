import type {LineSeriesOption} from 'echarts';
import {NAMES, type Norm} from './norms.js';
import type {Seen} from './sentence.js';
import {axisStyle, INK, renderSvg} from '../../tools/svg.js';

const TITLE = 'Validation accuracy by epoch';
const WIDTH = 720;
const HEIGHT = 400;

/** Of medium lightness: readable on white and on black. */
const STYLES: Readonly<
  Record<Norm, {color: string; type: 'solid' | 'dashed' | 'dotted'}>
> = {
  none: {color: '#d9485f', type: 'dotted'},
  batch: {color: '#3b82f6', type: 'solid'},
  layer: {color: '#c2760c', type: 'solid'},
  'none-relu': {color: '#2f9e5b', type: 'dashed'},
};

const RECALIBRATED_COLOR = '#8b5cf6';

/** With fewer epochs than this, each epoch has a dot. */
const FEW_EPOCHS = 10;

/** Draws the validation accuracy by epoch, as SVG. */
export function drawChart(runs: readonly Seen[], epochs: number): string {
  const frame = {title: TITLE, width: WIDTH, height: HEIGHT};
  return renderSvg(frame, {
    grid: {left: 64, right: 176, top: 48, bottom: 56},
    xAxis: {
      ...axisStyle('Epoch', 30),
      type: 'value',
      min: Math.min(1, epochs - 1),
      max: epochs,
      minInterval: 1,
      splitLine: {show: false},
    },
    yAxis: {
      ...axisStyle('Accuracy', 48),
      type: 'value',
      min: 0,
      max: 100,
      axisLabel: {color: INK, formatter: '{value}%'},
    },
    series: runs.flatMap((run) => seriesOf(run, epochs)),
  });
}

function seriesOf(run: Seen, epochs: number): LineSeriesOption[] {
  const {norm, valAccuracy, valAccuracyRecalibrated: recalibrated} = run;
  const {color, type} = STYLES[norm];
  const line = {name: NAMES[norm], color, type, accuracies: valAccuracy};
  if (recalibrated == null) return [lineOf(line, epochs)];
  const again = {
    name: `${NAMES[norm]}, recalibrated`,
    color: RECALIBRATED_COLOR,
    type: 'dashed' as const,
    accuracies: recalibrated,
  };
  return [line, again].map((each) => lineOf(each, epochs));
}

/** One line of the chart. */
interface Line {
  readonly name: string;
  readonly color: string;
  readonly type: 'solid' | 'dashed' | 'dotted';
  readonly accuracies: readonly number[];
}

function lineOf(
  {name, color, type, accuracies}: Line,
  epochs: number,
): LineSeriesOption {
  return {
    type: 'line',
    name,
    data: accuracies.map((accuracy, i) => [i + 1, 100 * accuracy]),
    showSymbol: epochs < FEW_EPOCHS,
    symbol: 'circle',
    symbolSize: 7,
    color,
    lineStyle: {color, type, width: 2.5},
    endLabel: {
      show: true,
      formatter: '{a}',
      color,
      fontSize: 13,
      lineHeight: 18,
    },
    // Otherwise the names of lines that end together would overlap.
    labelLayout: {moveOverlap: 'shiftY'},
  };
}
