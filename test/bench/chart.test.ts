import {drawChart} from '../../bench/chart.js';
import {layerRow, rowWithoutStock} from './rows.js';

/** Returns the texts of an SVG. */
const textsOf = (svg: string): string[] =>
  [...svg.matchAll(/<text[^>]*>([^<]*)</g)].map(([, text = '']) => text);

describe('drawChart', () => {
  it('shows the time of stock, relative to this package', () => {
    const texts = textsOf(drawChart([layerRow(), layerRow({backend: 'cpu'})]));
    expect(texts).toContain('batch norm [128,1024]');
    expect(texts.filter((text) => text === '1,230')).toHaveLength(2);
    expect(texts).toEqual(
      expect.arrayContaining(['stock, cpu', 'stock, wasm', 'PyTorch']),
    );
    expect(texts).not.toContain('stock, tensorflow');
    // From PyTorch's 0.5 to stock's 1,230, in whole powers of ten.
    expect(texts).toEqual(expect.arrayContaining(['0.1', '10,000']));
  });

  it('gives the reason for a missing bar', () => {
    const texts = textsOf(drawChart([rowWithoutStock()]));
    expect(texts).toContain('stock: over 40 s');
  });

  it('leaves out inference, channels first, and what stock lacks', () => {
    const texts = textsOf(
      drawChart([
        layerRow({mode: 'inference'}),
        layerRow({shape: [2, 3, 4, 5]}),
        layerRow({norm: 'group norm'}),
      ]),
    );
    expect(texts.filter((text) => text.includes(' norm ['))).toEqual([]);
  });

  it('has no background, so that it fits any page', () => {
    expect(drawChart([layerRow()])).not.toMatch(/<rect[^>]*fill="(#fff|white)/);
  });
});
