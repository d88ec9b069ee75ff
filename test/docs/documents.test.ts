// Runs the documents' code as it is written there.
import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import * as tf from '@tensorflow/tfjs';
import * as normalization from 'tfjs-normalization';
import * as keras from 'tfjs-normalization/keras';
import * as nodeOnly from 'tfjs-normalization/node';
import {
  type Block,
  docstringBlocks,
  documentBlocks,
  ROOT,
  runBlock,
} from './blocks.js';

const inLanguage = (blocks: Block[], ...languages: string[]): Block[] =>
  blocks.filter(({language}) => languages.includes(language));

/** Blocks for browsers are run by the projects of test/consumers. */
const CODE = inLanguage(documentBlocks(), 'js', 'ts').filter(
  ({where}) => where !== 'browser',
);
const EXAMPLES = inLanguage(docstringBlocks(), 'js', 'ts');
const COMMANDS = inLanguage(documentBlocks(), 'sh', 'bash')
  .flatMap(({place, code}) =>
    code
      .split('\n')
      .map((line) => ({place, command: line.replace(/#.*/, '').trim()})),
  )
  .filter(({command}) => command !== '');

const PAGES = [
  ...readdirSync(ROOT).filter((name) => name.endsWith('.md')),
  'examples/digits/README.md',
  ...readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

const folder = process.cwd();

beforeAll(() => {
  // Examples save to a folder beside them; this one is not tracked.
  process.chdir(join(ROOT, 'build'));
  jest.spyOn(console, 'log').mockImplementation(() => undefined);
});

beforeEach(() => {
  jest.spyOn(console, 'log').mockImplementation(() => undefined);
});

afterEach(() => {
  tf.disposeVariables();
});

afterAll(() => process.chdir(folder));

/** Returns what the comments behind `console.log(…);` say that it prints. */
function promisedOutput(code: string): string[] {
  const lines = code.matchAll(/^console\.log\(.*\); \/\/ (.+)$/gm);
  return [...lines].map(([, promised = '']) => promised);
}

describe('every code block', () => {
  it.each(CODE)('in $place runs, and prints what it says', async (block) => {
    const log = jest.spyOn(console, 'log');
    await runBlock(block, {});
    const printed = log.mock.calls.map((values) => values.join(' '));
    expect(printed).toEqual(expect.arrayContaining(promisedOutput(block.code)));
  });

  it('of the documents is found', () => {
    expect(CODE.length).toBeGreaterThan(4);
    expect(EXAMPLES.length).toBeGreaterThan(5);
  });
});

describe('every example in a docstring', () => {
  it.each(EXAMPLES)('in $place runs', async (block) => {
    await runBlock(block, {tf, ...normalization, ...keras, ...nodeOnly});
  });
});

describe('every page', () => {
  const {name, version, jsdelivr} = JSON.parse(
    readFileSync(join(ROOT, 'package.json'), 'utf8'),
  ) as {name: string; version: string; jsdelivr: string};
  const ours = `${name}@${version}/${jsdelivr.replace('./', '')}`;
  const pages = inLanguage(documentBlocks(), 'html');
  const CDN = 'https://cdn.jsdelivr.net/npm/';

  it('loads tf.js and this package', () => {
    for (const {place, code} of pages) {
      const sources = [...code.matchAll(/<script src="([^"]*)"/g)];
      const tfjs = `^${CDN}@tensorflow/tfjs@4[.0-9]*/dist/tf.min.js$`;
      expect([place, ...sources.map(([, source]) => source)]).toEqual([
        place,
        expect.stringMatching(tfjs),
        CDN + ours,
      ]);
    }
  });

  it('has a script that runs', async () => {
    for (const block of pages) {
      const [, code = ''] = /<script>([^]*?)<\/script>/.exec(block.code) ?? [];
      expect(code).toContain('tfjsNormalization.');
      await runBlock({...block, code}, {tf, tfjsNormalization: normalization});
    }
  });
});

describe('every command', () => {
  const {scripts} = JSON.parse(
    readFileSync(join(ROOT, 'package.json'), 'utf8'),
  ) as {scripts: Record<string, string>};

  it.each(COMMANDS)(
    '$command, in $place, is one of the package',
    ({command}) => {
      for (const part of command.split('&&').map((text) => text.trim())) {
        const [program, verb, name] = part.split(/\s+/);
        if (program !== 'npm') continue;
        if (verb === 'run') expect(Object.keys(scripts)).toContain(name);
        else if (verb === 'start' || verb === 'test') {
          expect(Object.keys(scripts)).toContain(verb);
        } else
          expect(['ci', 'install', 'pack', 'ls', 'dedupe']).toContain(verb);
      }
    },
  );
});

describe('every page of Markdown', () => {
  const LONGEST_HEADING = 60;
  const lines = PAGES.map((file) => ({
    file,
    lines: readFileSync(join(ROOT, file), 'utf8')
      .replace(/^```[^]*?^```$/gm, '')
      .split('\n'),
  }));

  it.each(lines)('F21: $file has whole comments', ({lines: text}) => {
    const rest = text.join('\n').replace(/<!--[^]*?-->/g, '');
    expect(rest).not.toMatch(/<!--|-->/);
  });

  it.each(lines)('F21: $file has well-formed headings', ({lines: text}) => {
    const headings = text.filter((line) => /^#+ /.test(line));
    const unreadable = headings.filter(
      (heading, i) =>
        heading === headings[i - 1] ||
        /["“”]/.test(heading) ||
        heading.replace(/^#+ /, '').length > LONGEST_HEADING,
    );
    expect(unreadable).toEqual([]);
  });
});

/** Returns the headings of a page as GitHub names them in addresses. */
function sectionsOf(page: string): string[] {
  const headings = readFileSync(join(ROOT, page), 'utf8').matchAll(
    /^#+ (.*)$/gm,
  );
  return [...headings].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  );
}

describe('every file and folder named for contributors', () => {
  const FOLDERS = [
    ...['bench', 'docs', 'examples', 'layers', 'native', 'scripts', 'src'],
    ...['test', 'tools'],
  ];
  const files = [
    ...readdirSync(ROOT),
    ...FOLDERS.flatMap((folder) =>
      readdirSync(join(ROOT, folder), {encoding: 'utf8', recursive: true})
        .filter((path) => !path.includes('node_modules'))
        .map((path) => `${folder}/${path}`),
    ),
  ].map((path) => `/${path.replaceAll('\\', '/')}`);

  const isThere = (path: string): boolean =>
    files.some((file) => {
      if (path.endsWith('/')) return file.endsWith(`/${path.slice(0, -1)}`);
      return file.endsWith(path.startsWith('.') ? path : `/${path}`);
    });

  const named = ['CONTRIBUTING.md', 'docs/design.md'].flatMap((page) =>
    [
      ...readFileSync(join(ROOT, page), 'utf8').matchAll(
        /`([\w./-]+(?:\/|\.(?:ts|js|mjs|json|py|c|h)))`/g,
      ),
    ].map(([, path = '']) => ({page, path})),
  );

  it.each(named)('$path in $page is there', ({path}) => {
    expect(isThere(path)).toBe(true);
  });

  it('would be missed', () => {
    expect(named.length).toBeGreaterThan(50);
    const wrong = ['src/ops/other.ts', 'layout.js', 'yout.ts', 'src/op/'];
    expect(wrong.filter(isThere)).toEqual([]);
  });
});

describe('every link to a file', () => {
  const links = PAGES.flatMap((file) =>
    [
      ...readFileSync(join(ROOT, file), 'utf8').matchAll(/\]\(([^)#:]+)\)/g),
    ].map(([, target = '']) => ({file, target})),
  );

  it.each(links)('from $file to $target works', ({file, target}) => {
    expect(existsSync(join(ROOT, dirname(file), target))).toBe(true);
  });

  it('to a section finds its heading', () => {
    const missing = PAGES.flatMap((file) =>
      [
        ...readFileSync(join(ROOT, file), 'utf8').matchAll(
          /\]\(([^)#:]*)#([^)]+)\)/g,
        ),
      ]
        .map(([, target = '', section = '']) => ({
          page: target === '' ? file : join(dirname(file), target),
          section,
        }))
        .filter(({page, section}) => !sectionsOf(page).includes(section))
        .map(({page, section}) => `${file} to ${page}#${section}`),
    );
    expect(missing).toEqual([]);
  });

  it('F31: of the README is in the package', () => {
    const {files} = JSON.parse(
      readFileSync(join(ROOT, 'package.json'), 'utf8'),
    ) as {files: string[]};
    const shipped = [...files, 'LICENSE'];
    const missing = links
      .filter(({file}) => file === 'README.md')
      .filter(
        ({target}) =>
          !shipped.some(
            (path) => target === path || target.startsWith(`${path}/`),
          ),
      );
    expect(missing).toEqual([]);
  });

  it('reaches every guide from their list', () => {
    const listed = links
      .filter(({file}) => file === 'docs/README.md')
      .map(({target}) => `docs/${target}`);
    const guides = PAGES.filter((file) => file.startsWith('docs/'));
    expect(listed).toEqual(
      expect.arrayContaining(
        guides.filter((file) => !file.endsWith('README.md')),
      ),
    );
  });
});

it('README.md fits two screens', () => {
  const {length} = readFileSync(join(ROOT, 'README.md'), 'utf8').split('\n');
  expect(length).toBeLessThanOrEqual(150);
});
