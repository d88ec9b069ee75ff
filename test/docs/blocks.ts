import {readdirSync, readFileSync} from 'node:fs';
import {join, relative, resolve} from 'node:path';
import * as ts from 'typescript';

export const ROOT = resolve(__dirname, '../..');

/** A fenced block of code in a document. */
export interface Block {
  /** The file and the line where it begins. */
  place: string;
  /** The heading above it. */
  section: string;
  /** The language after the fence: js, ts, sh … */
  language: string;
  /** The word after that: `browser` for code that Node cannot run. */
  where: string;
  code: string;
}

/** Returns every fenced block of the user documentation. */
export function documentBlocks(): Block[] {
  const documents = ['README.md', 'CONTRIBUTING.md', ...filesIn('docs', '.md')];
  return documents.flatMap((file) =>
    blocksIn(file, readFileSync(join(ROOT, file), 'utf8')),
  );
}

/** Returns every fenced block in the comments of the source. */
export function docstringBlocks(): Block[] {
  const sources = [...filesIn('src', '.ts'), ...filesIn('layers', '.ts')];
  return sources.flatMap((file) => {
    const text = readFileSync(join(ROOT, file), 'utf8');
    return blocksIn(file, text.replace(/^ *\* ?/gm, ''));
  });
}

/** Runs a block as a module with these globals. */
export async function runBlock(
  {code}: Block,
  names: Record<string, unknown>,
): Promise<void> {
  const {outputText} = ts.transpileModule(code, {
    compilerOptions: {
      module: ts.ModuleKind.CommonJS,
      target: ts.ScriptTarget.ES2022,
      esModuleInterop: true,
    },
  });
  const body = `return (async () => {${outputText}\n})()`;
  const scope = {...names, exports: {}, require: jest.requireActual.bind(jest)};
  // Running the documents' code is the purpose here.
  // eslint-disable-next-line @typescript-eslint/no-implied-eval
  const compiled = new Function(...Object.keys(scope), body) as (
    ...values: unknown[]
  ) => Promise<void>;
  await compiled(...Object.values(scope));
}

function blocksIn(file: string, text: string): Block[] {
  const fences = /^```(\w+)(?: (\w+))?\n([\s\S]*?)^```$/gm;
  return [...text.matchAll(fences)].map((match) => {
    const [, language = '', where = '', code = ''] = match;
    const before = text.slice(0, match.index);
    const section = /^#+ (.*)$/m.exec(reversedLines(before))?.[1] ?? '';
    const place = `${file}:${before.split('\n').length}`;
    return {place, section, language, where, code};
  });
}

function reversedLines(text: string): string {
  return text.split('\n').reverse().join('\n');
}

function filesIn(folder: string, ending: string): string[] {
  return readdirSync(join(ROOT, folder), {recursive: true, withFileTypes: true})
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
    .sort();
}
