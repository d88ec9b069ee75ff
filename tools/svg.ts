import {type EChartsOption, init, type LegendComponentOption} from 'echarts';

/** Greys of medium lightness: readable on white and on black. */
export const INK = '#7d7d7d';
export const GRID = '#7d7d7d55';

/** The parts of every chart. */
export interface Frame {
  readonly title: string;
  readonly width: number;
  readonly height: number;
}

/** Renders a chart as SVG, without a background. */
export function renderSvg(
  {title, width, height}: Frame,
  option: EChartsOption,
): string {
  const chart = init(null, null, {renderer: 'svg', ssr: true, width, height});
  chart.setOption({
    animation: false,
    backgroundColor: 'transparent',
    textStyle: {fontFamily: 'system-ui, sans-serif', color: INK},
    title: {text: title, textStyle: {color: INK, fontSize: 15}},
    ...option,
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return (
    svg
      .replace('<svg ', `<svg role="img" aria-label="${title}" `)
      // Styles for a pointer, whose names count all charts of the process: without them
      // the same figures give the same file.
      .replace(/<style[^]*?<\/style>\n?/, '')
      .replace(/ class="zr\d+-cls-\d+"/g, '')
  );
}

/** The style of an axis with a name. */
export function axisStyle(name: string, nameGap: number): object {
  return {
    name,
    nameGap,
    nameLocation: 'middle',
    nameTextStyle: {color: INK},
    axisLabel: {color: INK},
    axisLine: {show: true, lineStyle: {color: INK}},
    splitLine: {lineStyle: {color: GRID}},
  };
}

/** The legend above a chart, of these entries. */
export function aboveChart(data: LegendComponentOption['data']): object {
  return {top: 38, left: 0, itemGap: 18, textStyle: {color: INK}, data};
}
