import * as fc from 'fast-check';
import {parseCsv} from '../../examples/digits/data_csv.js';
import {InputError} from '../../tools/errors.js';

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
    const {pixels} = parseCsv('0,.5,1e-2,+.25,3\n', 'x.csv');
    expect([...pixels]).toEqual([0, 1, 0.02, 0.5].map(Math.fround));
    const {pixels: whole} = parseCsv('0,1e2,+50.,3\n', 'x.csv');
    expect([...whole]).toEqual([0, 1, 0.5].map(Math.fround));
  });

  describe('F20: files of other programs', () => {
    const tables = fc
      .tuple(fc.integer({min: 2, max: 8}), fc.integer({min: 1, max: 6}))
      .chain(([rows, columns]) =>
        fc.array(
          fc.array(fc.double({min: -1e6, max: 1e6, noNaN: true}), {
            minLength: columns,
            maxLength: columns,
          }),
          {minLength: rows, maxLength: rows},
        ),
      );

    it.each([',', ';', '\t'])('are read with the separator %j', (separator) => {
      fc.assert(
        fc.property(tables, fc.boolean(), (table, hasHeader) => {
          // A fraction makes it a table, not an image.
          const rows = table.map((row) => [...row, 1e6 + 0.5]);
          rows.push([...(table[0] ?? []), 0]);
          const lines = rows.map((row, i) => [...row, i % 10].join(separator));
          const names = (rows[0] ?? []).map((_, i) => `"the ${i}. column"`);
          if (hasHeader) lines.unshift([...names, 'class'].join(separator));
          const {pixels, labels, size} = parseCsv(lines.join('\n'), 'x.csv');
          expect([...labels]).toEqual(rows.map((_, i) => i % 10));
          for (let c = 0; c < size; c++) {
            const column = rows.map((row) => row[c] ?? NaN);
            const [low, high] = [Math.min(...column), Math.max(...column)];
            column.forEach((value, r) => {
              const expected =
                high > low ? Math.fround((value - low) / (high - low)) : 0;
              expect(pixels[r * size + c]).toBe(expected);
            });
          }
        }),
      );
    });

    it('columns of different scales are all scaled', () => {
      const wine = '14.23,1.71,1065,0\n12.37,.94,520,1\n13.2,1.78,1050,2\n';
      const {pixels} = parseCsv(wine, 'x.csv');
      for (let c = 0; c < 3; c++) {
        const column = [0, 3, 6].map((row) => pixels[row + c]);
        expect([
          Math.min(...(column as number[])),
          Math.max(...(column as number[])),
        ]).toEqual([0, 1]);
      }
    });

    it.each([
      ['p0,p1,label\n0,255,1\n', [0, 1]],
      ['p0\tp1\tlabel\n0\t255\t1\n', [0, 1]],
      ['"p 0";"p 1";"y"\r\n0;16;1\r\n', [0, 1]],
      ['1,\t2,3\n', [0.5, 1]],
    ])('images are scaled as before: %j', (text, pixels) => {
      const images = parseCsv(text, 'x.csv');
      expect([...images.pixels]).toEqual(pixels);
      expect(images.labels).toHaveLength(1);
    });
  });

  it.each([
    ['', 'x.csv: the file is empty'],
    ['\uFEFF\r\n \n', 'x.csv: the file is empty'],
    ['5', 'x.csv, line 1: only one value'],
    ['1,2,3\n1,2\n', 'x.csv, line 2: 2 values, where line 1 has 3'],
    ['1,2,3\n4\n', 'x.csv, line 2: 1 value, where line 1 has 3'],
    ['1,2,3\n1,2,3,4\n', 'x.csv, line 2: 4 values, where line 1 has 3'],
    ['1,2,3\n\n1,2,3\n', 'x.csv, line 2: the line is empty'],
    [
      'a,b,c\n',
      'x.csv: line 1 looks like a header, and there is no other line',
    ],
    [
      '0,1,label\n1,2,3\n',
      'x.csv, line 1, value 3: "label" is not a number; line 1 looks like a ' +
        'header, of which every value must be a name: remove the line',
    ],
    ['a,b,c\n1,x,3\n', 'x.csv, line 2, value 2: "x" is not a number'],
    ['a,b,c\n1,2\n', 'x.csv, line 2: 2 values, where line 1 has 3'],
    [
      '1,5;2,5;3\n',
      'x.csv: commas and semicolons between the values; separate them by ' +
        'commas, and write decimal numbers with a point',
    ],
    ['1,5\t2,5\t3\n', 'x.csv: commas and tabs between the values'],
    [
      '1 2 3\n',
      'only one value; pixels and a label are needed, separated by commas, semicolons or tabs',
    ],
    ['1,2,3\r\n1,,3\r\n', 'x.csv, line 2, value 2: "" is not a number'],
    ['1,0x10,3\n', 'x.csv, line 1, value 2: "0x10" is not a number'],
    ['1,NaN,3\n', '"NaN" is not a number'],
    ['1,1e39,3\n', '"1e39" is not a number'],
    ['1,"2",3\n', '"\\"2\\"" is not a number'],
    [`1,${'z'.repeat(99)},3\n`, `"${'z'.repeat(20)}…" is not a number`],
    ['1,2,10\n', 'x.csv, line 1: the label is 10, not an integer from 0 to 9'],
    ['1,2,-1\n', 'x.csv, line 1: the label is -1, not an integer from 0 to 9'],
    ['1,2,1.5\n', 'the label is 1.5, not an integer from 0 to 9'],
  ])('refuses %j', (text, message) => {
    expect(() => parseCsv(text, 'x.csv')).toThrow(InputError);
    expect(() => parseCsv(text, 'x.csv')).toThrow(message);
  });
});
