import * as fc from 'fast-check';
import {parseCsv} from '../../examples/digits/data_csv.js';
import {InputError} from '../../examples/digits/errors.js';

const tables = fc
  .tuple(fc.integer({min: 1, max: 12}), fc.integer({min: 1, max: 12}))
  .chain(([rows, size]) =>
    fc.record({
      pixels: fc.array(
        fc.array(fc.integer({min: 0, max: 16}), {
          minLength: size,
          maxLength: size,
        }),
        {minLength: rows, maxLength: rows},
      ),
      labels: fc.array(fc.integer({min: 0, max: 9}), {
        minLength: rows,
        maxLength: rows,
      }),
    }),
  );

const dressings = fc.record({
  start: fc.constantFrom('', '\uFEFF'),
  lineEnd: fc.constantFrom('\n', '\r\n'),
  comma: fc.constantFrom(',', ', ', ' ,'),
  end: fc.constantFrom('', '\n', '\r\n', '\n\n'),
});

describe('parseCsv', () => {
  it('reads what was written, however the lines end', () => {
    fc.assert(
      fc.property(tables, dressings, ({pixels, labels}, dressing) => {
        const {start, lineEnd, comma, end} = dressing;
        const lines = pixels.map((row, i) => [...row, labels[i]].join(comma));
        const text = start + lines.join(lineEnd) + end;
        const images = parseCsv(text, 'x.csv');
        const largest = Math.max(1, ...pixels.flat());
        const scaled = pixels
          .flat()
          .map((pixel) => Math.fround(pixel / largest));
        expect(images.size).toBe(pixels[0]?.length);
        expect([...images.labels]).toEqual(labels);
        expect([...images.pixels]).toEqual(scaled);
      }),
    );
  });

  it('takes decimal numbers and divides by the largest', () => {
    const {pixels} = parseCsv('0,.5,1e2,+50.,3\n', 'x.csv');
    expect([...pixels]).toEqual([0, 0.5 / 100, 1, 0.5].map(Math.fround));
  });

  it.each([
    ['', 'x.csv: the file is empty'],
    ['\uFEFF\r\n \n', 'x.csv: the file is empty'],
    ['5', 'x.csv, line 1: one value only'],
    ['1,2,3\n1,2\n', 'x.csv, line 2: 2 values, where line 1 has 3'],
    ['1,2,3\n4\n', 'x.csv, line 2: 1 value, where line 1 has 3'],
    ['1,2,3\n1,2,3,4\n', 'x.csv, line 2: 4 values, where line 1 has 3'],
    ['1,2,3\n\n1,2,3\n', 'x.csv, line 2: the line is empty'],
    ['a,b,c\n', 'x.csv, line 1, value 1: "a" is not a number'],
    ['1,2,3\r\n1,,3\r\n', 'x.csv, line 2, value 2: "" is not a number'],
    ['1,0x10,3\n', 'x.csv, line 1, value 2: "0x10" is not a number'],
    ['1,NaN,3\n', '"NaN" is not a number'],
    ['1,1e39,3\n', '"1e39" is not a number'],
    ['1,"2",3\n', '"\\"2\\"" is not a number'],
    [`1,${'z'.repeat(99)},3\n`, `"${'z'.repeat(20)}…" is not a number`],
    ['1,2,3\n1,-2,3\n', 'x.csv, line 2, value 2: the pixel is -2, below 0'],
    ['1,2,10\n', 'x.csv, line 1: the label is 10, not an integer from 0 to 9'],
    ['1,2,-1\n', 'x.csv, line 1: the label is -1, not an integer from 0 to 9'],
    ['1,2,1.5\n', 'the label is 1.5, not an integer from 0 to 9'],
  ])('refuses %j', (text, message) => {
    expect(() => parseCsv(text, 'x.csv')).toThrow(InputError);
    expect(() => parseCsv(text, 'x.csv')).toThrow(message);
  });
});
