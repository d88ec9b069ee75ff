// The facts on the site that come out of the code, and the docstrings beside them.
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import * as ts from 'typescript';
import {isFormula, texOf} from '../../scripts/docs/formula.js';
import {
  descriptions,
  layerDefaults,
  layerWeights,
  literal,
  rangeOf,
  splitDefault,
} from '../../scripts/docs/layers.js';
import {hasParameter} from '../../src/layer_support/description.js';
import {ROOT} from './blocks.js';
import {runScript} from '../package/scripts.js';

const LAYERS = [...descriptions().keys()].sort();

/** The file of a layer. */
function sourceOf(layer: string): ts.SourceFile {
  const [, ...rest] = layer.split(/(?=[A-Z][a-z])/);
  const words = [layer.slice(0, layer.length - rest.join('').length), ...rest];
  const name = words.map((word) => word.toLowerCase()).join('_');
  const path = join(ROOT, 'layers', `${name}.ts`);
  return parse(path);
}

function parse(path: string): ts.SourceFile {
  return ts.createSourceFile(
    path,
    readFileSync(path, 'utf8'),
    ts.ScriptTarget.ES2022,
    true,
  );
}

/** The docstrings of the fields of an interface, and of those that it extends. */
function fieldsOf(file: ts.SourceFile, name: string): Map<string, string> {
  const found = file.statements
    .filter(ts.isInterfaceDeclaration)
    .find((each) => each.name.text === name);
  const isAffine = found?.heritageClauses?.some((clause) =>
    clause.getText().includes('AffineArgs'),
  );
  const shared = isAffine
    ? fieldsOf(parse(join(ROOT, 'src/layer_support/affine.ts')), 'AffineArgs')
    : [];
  return new Map([
    ...shared,
    ...(found?.members ?? []).map((member) => {
      const [doc] = ts.getJSDocCommentsAndTags(member);
      const text = ts.getTextOfJSDocComment(doc?.comment) ?? '';
      return [member.name?.getText() ?? '', text] as const;
    }),
  ]);
}

/** The comment above the class of a layer. */
function docstringOf(layer: string): string {
  const file = sourceOf(layer);
  const found = file.statements
    .filter(ts.isClassDeclaration)
    .find((each) => each.name?.text === layer);
  const text =
    found?.getFullText().slice(0, found.getStart() - found.pos) ?? '';
  return text.replace(/^ \*[ ]?/gm, '');
}

/** A number, a word or a boolean at the beginning of a text; undefined for words. */
function valueIn(text: string): unknown {
  const [, quoted, number] =
    /^(?:`?'(\w+)'`?|(-?\d[\d.]*(?:e-?\d+)?)(?=$|[\s,.);]))/.exec(text) ?? [];
  if (quoted !== undefined) return quoted;
  if (number !== undefined) return Number(number);
  const [, truth] = /^`?(true|false)\b/.exec(text) ?? [];
  return truth === undefined ? undefined : truth === 'true';
}

describe('the defaults in docstrings', () => {
  it.each(LAYERS)('of the fields of %s are those of the code', (layer) => {
    const fields = fieldsOf(sourceOf(layer), `${layer}Args`);
    for (const [name, value] of Object.entries(layerDefaults(layer))) {
      const {otherwise = ''} = splitDefault(fields.get(name) ?? '');
      // Null stands for what the words say.
      expect([name, valueIn(otherwise)]).toEqual([name, value ?? undefined]);
      if (value === null && name !== 'variance') expect(otherwise).not.toBe('');
    }
  });

  it.each(LAYERS)('of the class %s are those of the code', (layer) => {
    const text = docstringOf(layer).replace(/\s+/g, ' ');
    const items = [...text.matchAll(/((?:`\w+`,? ?)+)\(([^()]*)\)/g)];
    const stated = new Map(
      items.flatMap(([, names = '', value = '']) =>
        [...names.matchAll(/\w+/g)].map(([name]) => [name, value] as const),
      ),
    );
    for (const [name, value] of Object.entries(layerDefaults(layer))) {
      const words = stated.get(name);
      expect([name, words]).toEqual([name, expect.any(String)]);
      expect([name, valueIn(words ?? '')]).toEqual([name, value ?? undefined]);
    }
  });

  it('differ where a docstring is wrong', () => {
    expect(valueIn('-1, the last')).toBe(-1);
    expect(valueIn('1e-3')).toBe(0.001);
    expect(valueIn("`'zeros'`")).toBe('zeros');
    expect(valueIn('true')).toBe(true);
    expect(valueIn('none')).toBeUndefined();
    expect(splitDefault('The weight. Defaults to 0.99.')).toEqual({
      meaning: 'The weight.',
      otherwise: '0.99',
    });
  });
});

describe('the weights on the site', () => {
  it.each(LAYERS)('of %s are those of its description', (layer) => {
    const rows = layerWeights(layer);
    const {parameters = []} = descriptions().get(layer) ?? {};
    const own = rows.filter(({name}) => !name.startsWith('inside/'));
    const order = parameters.map(({name}) => name);
    expect(own.map(({name}) => name)).toEqual(order);
    for (const [
      i,
      {learns = false, isScalar = false},
    ] of parameters.entries()) {
      expect([own[i]?.trains, own[i]?.shape.length === 0]).toEqual([
        learns,
        isScalar,
      ]);
    }
  });

  it('are there by default or not, as the site says', () => {
    const {parameters = []} = descriptions().get('BatchNorm') ?? {};
    const defaults = layerDefaults('BatchNorm');
    const always = parameters
      .filter((parameter) => hasParameter(parameter, defaults))
      .map(({name}) => name);
    expect(always).toEqual(['gamma', 'beta', 'moving_mean', 'moving_variance']);
    const rows = layerWeights('BatchNorm').map(({name, when}) => [name, when]);
    expect(rows).toContainEqual(['renorm_mean', 'renorm: true']);
    expect(rows).toContainEqual(['num_batches', "movingAverage: 'cumulative'"]);
  });
});

describe('the ranges on the site', () => {
  it.each([
    ['BatchNorm', 'momentum', 0, 'a number from 0 to 1'],
    ['BatchNorm', 'statistics', 0, "one of 'auto', 'batch', 'moving'"],
    [
      'GroupNorm',
      'groups',
      0,
      'an integer above 0, or -1 for one group a channel',
    ],
    ['ops.rmsNorm', 'epsilon', 1, 'a number above 0'],
    ['recalibrate', 'batchSize', 2, 'an integer above 0'],
    [
      'ops.batchNorm',
      'mask',
      1,
      "a tensor of fewer axes than x, as long as x's first ones, or of length 1",
    ],
  ])('of %s: %s', async (name, option, before, range) => {
    expect(await rangeOf(name, option, before)).toBe(range);
  });

  it('show values as a program has them', () => {
    expect([literal('auto'), literal(0.99), literal(null)]).toEqual([
      "'auto'",
      '0.99',
      'null',
    ]);
  });
});

describe('a formula', () => {
  it.each([
    [
      'y = (x − mean) / sqrt(variance + epsilon) · gamma + beta',
      'y = \\frac{x - \\mathrm{mean}}{\\sqrt{\\mathrm{variance} + \\varepsilon}} ' +
        '\\cdot \\gamma + \\beta',
    ],
    ['max(√v, 1e-7)', '\\max\\left(\\sqrt{v},\\ 10^{-7}\\right)'],
    ['sqrt(Σ x²)', '\\sqrt{\\sum\\ x^{2}}'],
    [
      'v = uWᵀ / |uWᵀ|',
      'v = \\frac{uW^{\\mathsf{T}}}{\\left|uW^{\\mathsf{T}}\\right|}',
    ],
    ['a / b / c', '\\frac{\\frac{a}{b}}{c}'],
    ['−x̂ · r', '-\\hat{x} \\cdot r'],
  ])('%s is typeset', (text, tex) => {
    expect(texOf(text)).toBe(tex);
  });

  it.each([
    'tf.sqrt(x)',
    '[outer, group · channel]',
    'a + ',
    '(a · b',
    "'a' · b",
  ])('%s is not one', (text) => {
    expect(isFormula(text)).toBe(false);
  });

  it('is told from code', () => {
    expect(isFormula('momentum = 1')).toBe(false);
    expect(isFormula('φ(BN(Wx))')).toBe(true);
  });
});

describe('the check of links', () => {
  it('finds those that lead nowhere', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'links-'));
    try {
      mkdirSync(join(folder, 'a'));
      const links = ['a/b.html', 'a/b.html#place', '#here', 'https://x.org/y'];
      const broken = ['c.html', 'a/b.html#elsewhere', '#nowhere', '../x', 'a'];
      writeFileSync(
        join(folder, 'index.html'),
        ['<a id="here"></a>']
          .concat([...links, ...broken].map((to) => `<a href="${to}"></a>`))
          .join(''),
      );
      writeFileSync(join(folder, 'a/b.html'), '<h2 id="place"></h2>');
      const {stdout} = await runScript(
        `import {brokenLinks} from './scripts/docs/links.mjs';
        console.log(JSON.stringify(brokenLinks(process.argv[2])));`,
        'mjs',
        [folder],
      );
      expect(JSON.parse(stdout)).toEqual([
        'index.html: c.html: no such file',
        'index.html: a/b.html#elsewhere: no such place in the page',
        'index.html: #nowhere: no such place in the page',
        'index.html: ../x: leaves the site',
        'index.html: a: no such file',
      ]);
    } finally {
      rmSync(folder, {recursive: true});
    }
  });
});
