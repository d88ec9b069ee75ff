// Compiles the WebAssembly kernels and embeds them in the package: writes
// src/kernels/simd/binary.generated.ts, which is not kept in git. Does nothing where
// that is newer than its sources.
import {readdirSync, renameSync, statSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const simd = join(root, 'src', 'kernels', 'simd');
const assembly = join(simd, 'assembly');
const result = join(simd, 'binary.generated.ts');

const FLAGS = [
  ...['--enable', 'simd', '--runtime', 'stub', '--optimizeLevel', '3'],
  ...['--noAssert', '--importMemory', '--noExportMemory'],
];
// A module must say of the memory it imports whether it is shared.
const SHARED = [
  ...['--enable', 'threads', '--sharedMemory'],
  ...['--initialMemory', '1', '--maximumMemory', '65536'],
];

if (!isFresh()) {
  const plain = await compile(FLAGS);
  const shared = await compile([...FLAGS, ...SHARED]);
  write(plain, shared);
}

function isFresh() {
  const sources = [
    fileURLToPath(import.meta.url),
    assembly,
    ...readdirSync(assembly).map((name) => join(assembly, name)),
  ];
  const made = statSync(result, {throwIfNoEntry: false})?.mtimeMs ?? 0;
  return sources.every((path) => statSync(path).mtimeMs < made);
}

async function compile(flags) {
  // Slow to load, and not needed where nothing has changed.
  const {main} = await import('assemblyscript/asc');
  let binary;
  const {error, stderr} = await main(
    ['index.ts', '--outFile', 'out.wasm', '--baseDir', assembly, ...flags],
    {
      writeFile: (_name, contents) => {
        binary = contents;
      },
    },
  );
  if (error) {
    console.error(stderr.toString());
    throw error;
  }
  refuseData(binary);
  return binary;
}

/** What lies in the module's own memory would overwrite what belongs to tfjs. */
function refuseData(binary) {
  const DATA = 11;
  let at = 8;
  while (at < binary.length) {
    const id = binary[at++];
    let size = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = binary[at++];
      size |= (byte & 127) << shift;
      if (byte < 128) break;
    }
    if (id === DATA) throw new Error('the kernels have a data segment');
    at += size;
  }
}

function write(plain, shared) {
  const base64 = (binary) => Buffer.from(binary).toString('base64');
  const text = `// Made from assembly/ by scripts/build-simd.mjs.

/** The kernels over a memory of one thread, in base64. */
export const BINARY = '${base64(plain)}';

/** The same over a memory that threads share. */
export const SHARED_BINARY = '${base64(shared)}';
`;
  const temporary = `${result}.${process.pid}`;
  writeFileSync(temporary, text);
  renameSync(temporary, result);
  const kilobytes = (plain.length / 1024).toFixed(1);
  console.log(`compiled the kernels: ${kilobytes} KB of WebAssembly`);
}
