// `npm run check:package`: checks the packed tarball with publint and
// are-the-types-wrong, and for this package's own promises.
import {readFileSync} from 'node:fs';
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {
  checkPackage,
  createPackageFromTarballData,
} from '@arethetypeswrong/core';
import {publint} from 'publint';
import {formatMessage} from 'publint/utils';
import {packInto} from './pack.mjs';

const manifest = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
);

/** npm runs these when a package is installed. */
const RUN_ON_INSTALL = ['preinstall', 'install', 'postinstall', 'prepare'];

const SHIPPED =
  /^(((keras|node|patch)\/)?package\.json|[A-Z]+\.md|LICENSE|docs\/[\w-]+\.(md|svg)|bench\/chart\.svg|dist\/.+\.(js|js\.map|d\.ts|json)|dist\/bin\/tfjs-normalization\.cjs|dist\/(bin\/)?LICENSES\.txt)$/;

/**
 * A suggestion not followed: `"browser"` replaces one file of the package by
 * another, which every bundler supports; as a condition it would double every
 * entry of `"exports"`.
 */
const TAKEN_KNOWINGLY = new Set(['USE_EXPORTS_OR_IMPORTS_BROWSER']);

const folder = await mkdtemp(join(tmpdir(), 'tfjs-normalization-package-'));
try {
  const {path, size, files} = packInto(folder);
  const tarball = new Uint8Array(readFileSync(path));
  const problems = [
    ...ownProblems(files),
    ...(await publintProblems(tarball)),
    ...(await typesProblems(tarball)),
  ];
  console.log(
    problems.length === 0
      ? `${files.length} files in ${Math.ceil(size / 1024)} KB, nothing wrong`
      : problems.join('\n'),
  );
  process.exitCode = problems.length === 0 ? 0 : 1;
} finally {
  await rm(folder, {recursive: true, force: true});
}

function ownProblems(files) {
  const scripts = RUN_ON_INSTALL.filter((name) => name in manifest.scripts);
  const strangers = files.filter((file) => !SHIPPED.test(file));
  const dependencies = Object.keys(manifest.dependencies ?? {});
  return [
    ...scripts.map((name) => `package.json: ${name} runs on install`),
    ...strangers.map((file) => `${file}: must not be published`),
    ...dependencies.map((name) => `package.json: depends on ${name}`),
  ];
}

async function publintProblems(tarball) {
  const {messages} = await publint({
    pack: {tarball: tarball.buffer},
    strict: true,
  });
  const problems = messages.filter(({code}) => !TAKEN_KNOWINGLY.has(code));
  return problems.map(
    (message) => `publint: ${formatMessage(message, manifest)}`,
  );
}

async function typesProblems(tarball) {
  const analysis = await checkPackage(createPackageFromTarballData(tarball));
  if (!analysis.types) return ['are-the-types-wrong: no types found'];
  return analysis.problems.map(
    ({kind, ...details}) =>
      `are-the-types-wrong: ${kind} ${JSON.stringify(details)}`,
  );
}
