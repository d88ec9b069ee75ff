import {existsSync, readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';

/** Those outside docs/, where they exist. */
const OTHER_GUIDES = [
  ...['FEATURES.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md'],
];

/** The guides, in the order in which docs/README.md lists them; any others follow. */
function guidesIn(root) {
  const list = readFileSync(join(root, 'docs', 'README.md'), 'utf8');
  const listed = [...list.matchAll(/^\d+\. \[([\w-]+\.md)\]/gm)];
  const all = readdirSync(join(root, 'docs')).filter((name) =>
    name.endsWith('.md'),
  );
  const names = ['README.md', ...listed.map(([, name]) => name), ...all.sort()];
  return [...new Set(names)].map((name) => `docs/${name}`);
}

/** The settings of TypeDoc. */
export function settings({root, out, version, entries}) {
  return {
    name: `tfjs-normalization ${version}`,
    entryPoints: entries.map(({file}) => join(root, file)),
    tsconfig: join(root, 'tsconfig.json'),
    basePath: root,
    out,
    readme: join(root, 'README.md'),
    projectDocuments: [...guidesIn(root), ...OTHER_GUIDES]
      .filter((name) => existsSync(join(root, name)))
      .map((name) => join(root, name)),
    customCss: join(root, 'scripts/docs/site.css'),
    disableSources: true,
    excludeExternals: true,
    excludeInternal: true,
    excludePrivate: true,
    excludeProtected: true,
    hideGenerator: true,
    includeHierarchySummary: false,
    searchInComments: true,
    searchInDocuments: true,
    categorizeByGroup: false,
    defaultCategory: 'Namespaces',
    categoryOrder: [
      'Guides',
      'Layers',
      'Functions on tensors',
      'Whole models',
      'Files',
      'Types',
      '*',
    ],
    navigation: {
      includeCategories: true,
      includeGroups: false,
      includeFolders: false,
    },
    headings: {readme: false, document: false},
    highlightLanguages: [
      ...['bash', 'console', 'html', 'javascript', 'json', 'jsonc'],
      ...['python', 'tsx', 'typescript', 'yaml'],
    ],
    treatWarningsAsErrors: true,
    validation: {
      invalidLink: true,
      invalidPath: true,
      notDocumented: true,
      notExported: true,
      rewrittenLink: true,
    },
  };
}

/** The entries of the package: the keys in its exports, and the sources. */
export function entriesOf(exports) {
  return Object.entries(exports)
    .filter(([, entry]) => typeof entry === 'object')
    .map(([key, {require}]) => ({
      key,
      file: require.types.replace('./dist/cjs/', '').replace('.d.ts', '.ts'),
    }));
}
