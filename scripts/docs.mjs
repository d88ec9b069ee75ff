// `npm run docs`: the site, as static files in out/docs, out of the docstrings and the
// documents. It fails where a docstring is missing, a reference leads nowhere, or a link
// of a page is broken.
import {cpSync, mkdirSync, readFileSync, rmSync} from 'node:fs';
import {createRequire} from 'node:module';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {Command} from 'commander';
import {build} from 'esbuild';
import {Application, PageEvent} from 'typedoc';
import {arrange, decorate} from './docs/decorate.mjs';
import {brokenLinks} from './docs/links.mjs';
import {takePictures} from './docs/pictures.mjs';
import {entriesOf, settings} from './docs/settings.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const out = join(root, 'out', 'docs');
const tools = join(root, 'build', 'docs-tools');

const options = new Command('npm run docs --')
  .description('Builds the site into out/docs, and checks it.')
  .option('--pictures <folder>', 'takes pictures of its pages in a browser')
  .parse()
  .opts();

const about = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const entries = entriesOf(about.exports);
const facts = await loadTools();
rmSync(out, {recursive: true, force: true});
const app = await Application.bootstrap(
  settings({root, out, version: about.version, entries}),
);
arrange(app, {root, name: about.name, entries});
const project = await app.convert();
if (project === undefined) process.exit(1);
const finishPage = await decorate(app, project, facts);
app.validate(project);
app.renderer.on(PageEvent.END, finishPage);
await app.generateDocs(project, out);
copyKatex();
for (const problem of brokenLinks(out)) app.logger.error(problem);
if (app.logger.hasErrors() || app.logger.hasWarnings()) process.exit(1);
console.log('Built: out/docs');
if (options.pictures) await takePictures(out, options.pictures);

/** The modules in TypeScript that know the layers, the formulas and the messages. */
async function loadTools() {
  const names = ['layers', 'formula', 'messages'];
  await build({
    entryPoints: names.map((name) => join(root, 'scripts/docs', `${name}.ts`)),
    outdir: tools,
    outExtension: {'.js': '.cjs'},
    bundle: true,
    platform: 'node',
    format: 'cjs',
    packages: 'external',
    absWorkingDir: root,
    logLevel: 'warning',
  });
  const require = createRequire(import.meta.url);
  return Object.assign(
    {root},
    ...names.map((name) => require(join(tools, `${name}.cjs`))),
  );
}

function copyKatex() {
  const from = join(
    dirname(createRequire(import.meta.url).resolve('katex/package.json')),
    'dist',
  );
  const to = join(out, 'assets', 'katex');
  mkdirSync(to, {recursive: true});
  cpSync(join(from, 'katex.min.css'), join(to, 'katex.min.css'));
  cpSync(join(from, 'fonts'), join(to, 'fonts'), {
    recursive: true,
    filter: (path) => !/\.(woff|ttf)$/.test(path),
  });
}
