import {init, type LineSeriesOption} from 'echarts';
import {NAMES, type Norm} from './norms.js';
import type {Seen} from './sentence.js';

const TITLE = 'Validation accuracy by epoch';
const WIDTH = 720;
const HEIGHT = 400;

/** Greys and colours of middle lightness: readable on white and on black. */
const INK = '#7d7d7d';
const GRID = '#7d7d7d55';

const STYLES: Readonly<
  Record<Norm, {color: string; type: 'solid' | 'dashed' | 'dotted'}>
> = {
  none: {color: '#d9485f', type: 'dotted'},
  batch: {color: '#3b82f6', type: 'solid'},
  layer: {color: '#c2760c', type: 'solid'},
  'none-relu': {color: '#2f9e5b', type: 'dashed'},
};

const RECALIBRATED_COLOR = '#8b5cf6';

/** With fewer epochs than this each gets a dot. */
const FEW_EPOCHS = 10;

/** Validation accuracy by epoch, as SVG. */
export function drawChart(runs: readonly Seen[], epochs: number): string {
  const chart = init(null, null, {
    renderer: 'svg',
    ssr: true,
    width: WIDTH,
    height: HEIGHT,
  });
  chart.setOption({
    animation: false,
    backgroundColor: 'transparent',
    textStyle: {fontFamily: 'system-ui, sans-serif', color: INK},
    title: {
      text: TITLE,
      textStyle: {color: INK, fontSize: 15},
    },
    grid: {left: 64, right: 176, top: 48, bottom: 56},
    xAxis: {
      ...axis('Epoch', 30),
      min: Math.min(1, epochs - 1),
      max: epochs,
      minInterval: 1,
      splitLine: {show: false},
    },
    yAxis: {
      ...axis('Accuracy', 48),
      min: 0,
      max: 100,
      axisLabel: {color: INK, formatter: '{value}%'},
    },
    series: runs.flatMap((run) => seriesOf(run, epochs)),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg.replace('<svg ', `<svg role="img" aria-label="${TITLE}" `);
}

function axis(name: string, nameGap: number): object {
  return {
    type: 'value',
    name,
    nameGap,
    nameLocation: 'middle',
    nameTextStyle: {color: INK},
    axisLabel: {color: INK},
    axisLine: {show: true, lineStyle: {color: INK}},
    splitLine: {lineStyle: {color: GRID}},
  };
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

/** One line, before the chart has it. */
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
    // Lines that end together would have their names on top of each other.
    labelLayout: {moveOverlap: 'shiftY'},
  };
}
