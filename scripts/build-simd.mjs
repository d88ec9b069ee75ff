// Compiles the WebAssembly kernels and embeds them in the package: writes
// src/kernels/simd/binary.generated.ts, which is not in git. Does nothing if
// that file is newer than its sources.
import {readdirSync, renameSync, statSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const simd = join(root, 'src', 'kernels', 'simd');
const assembly = join(simd, 'assembly');
const result = join(simd, 'binary.generated.ts');

const FLAGS = [
  ...['--enable', 'simd', '--runtime', 'stub', '--optimizeLevel', '3'],
  ...['--shrinkLevel', '1'],
  ...['--noAssert', '--importMemory', '--noExportMemory'],
];
// A module must declare whether the memory it imports is shared.
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
  // Slow to load, and not needed if nothing has changed.
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

/** A data segment in the module would overwrite tfjs's memory. */
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

/** The two binaries differ only in the declaration of their memory. */
function write(plain, shared) {
  const begin = plain.findIndex((byte, i) => byte !== shared[i]);
  const difference = shared.length - plain.length;
  let end = plain.length;
  while (end > begin && plain[end - 1] === shared[end - 1 + difference]) end--;
  const text = `// Made from assembly/ by scripts/build-simd.mjs.

/** The kernels in WebAssembly, as text, except for the declaration of the memory. */
export const BEGIN = "${asText(plain.slice(0, begin))}";
export const END = "${asText(plain.slice(end))}";

/** The part between these for the memory of a single thread … */
export const OWN_MEMORY = "${asText(plain.slice(begin, end))}";

/** … and for memory that threads share. */
export const SHARED_MEMORY = "${asText(shared.slice(begin, end + difference))}";
`;
  const temporary = `${result}.${process.pid}`;
  writeFileSync(temporary, text);
  renameSync(temporary, result);
  const kilobytes = (plain.length / 1024).toFixed(1);
  console.log(`compiled the kernels: ${kilobytes} KB of WebAssembly`);
}

/**
 * Encodes a byte as one or two printable characters: text that compresses like
 * the binary itself, which base64 does not. `asBytes` in
 * src/kernels/simd/module.ts decodes it.
 */
function asText(binary) {
  const PREFIXES = ['', '!', ' '];
  return Array.from(binary, (byte) => {
    const code = 35 + (byte % 91);
    // It contains no backslash and no quotation mark.
    const character = String.fromCharCode(code < 92 ? code : code + 1);
    return PREFIXES[Math.floor(byte / 91)] + character;
  }).join('');
}
