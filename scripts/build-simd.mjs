// Compiles the WebAssembly kernels and embeds them in the package, with the type of what
// they export: writes src/kernels/simd/binary.generated.ts, which is not in git.
// Does nothing if that file is newer than its sources.
import {readdirSync, renameSync, statSync, writeFileSync} from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

/** The characters that text is made of, except for the two in front of some. */
const CHARACTERS = Array.from({length: 92}, (_, i) => 35 + i)
  // It contains no backslash and no quotation mark.
  .filter((code) => code !== 92)
  .map((code) => String.fromCharCode(code));

/** Those that are frequent in minified programs, the most frequent first. */
const FREQUENT =
  'etnr,aios()=.ulc:m{}fhpd;gvwyb[]0?&>kx1zSMNjOA+|*$FI/-`ETPBCVLG2RW';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const simd = join(root, 'src', 'kernels', 'simd');
const assembly = join(simd, 'assembly');
const result = join(simd, 'binary.generated.ts');

const FLAGS = [
  ...['--enable', 'simd', '--runtime', 'stub', '--optimizeLevel', '3'],
  ...['--shrinkLevel', '1'],
  ...['--noAssert', '--importMemory', '--noExportMemory'],
  // For the declarations alone: the binary is the same without.
  ...['--bindings', 'raw'],
];
// A module must declare whether the memory it imports is shared.
const SHARED = [
  ...['--enable', 'threads', '--sharedMemory'],
  ...['--initialMemory', '1', '--maximumMemory', '65536'],
];

if (!isFresh()) {
  const plain = await compile(FLAGS);
  const shared = await compile([...FLAGS, ...SHARED]);
  write(plain.binary, shared.binary, signaturesOf(plain.declarations));
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
  const files = new Map();
  const {error, stderr} = await main(
    ['index.ts', '--outFile', 'out.wasm', '--baseDir', assembly, ...flags],
    {
      writeFile: (name, contents) => {
        files.set(name, contents);
      },
    },
  );
  if (error) {
    console.error(stderr.toString());
    throw error;
  }
  const binary = files.get('out.wasm');
  refuseData(binary);
  return {binary, declarations: files.get('out.d.ts')};
}

/**
 * The exported functions as members of an interface, from the compiler's declarations.
 * The binary itself takes 0 or 1 where AssemblyScript has a boolean.
 */
function signaturesOf(declarations) {
  const namespace = /^declare namespace \w+ \{\n(.*?)^\}/ms.exec(declarations);
  if (namespace === null) {
    throw new Error(`the compiler declares no exports: ${declarations}`);
  }
  return namespace[1]
    .replace(/^ {2}export function (?=\w+\()/gm, '  ')
    .replace(/: boolean\b/g, ': 0 | 1');
}

/** Refuses data of the module's own: it would overwrite what belongs to tfjs. */
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

/** The two differ in what they say of their memory, and in nothing else. */
function write(plain, shared, signatures) {
  const begin = plain.findIndex((byte, i) => byte !== shared[i]);
  const difference = shared.length - plain.length;
  let end = plain.length;
  while (end > begin && plain[end - 1] === shared[end - 1 + difference]) end--;
  const order = orderOf(plain);
  const encoded = (part) =>
    asText(Array.from(part, (byte) => order.indexOf(byte)));
  const text = `// Made from assembly/ by scripts/build-simd.mjs.

/** The first of the bytes that the other texts count by; the rest follow, ascending. */
export const ORDER = "${asText(order.slice(0, CHARACTERS.length))}";

/** The kernels in WebAssembly, as text, without the part that describes their memory. */
export const BEGIN = "${encoded(plain.slice(0, begin))}";
export const END = "${encoded(plain.slice(end))}";

/** The part between these for a memory of one thread … */
export const OWN_MEMORY = "${encoded(plain.slice(begin, end))}";

/** … and for one that threads share. */
export const SHARED_MEMORY = "${encoded(shared.slice(begin, end + difference))}";

/**
 * The functions that the kernels export; the comments name the file in assembly/ and
 * the types there. A usize is an address or a number of bytes. Where a tensor may be
 * absent, its address is 0.
 */
export interface SimdModule {
${signatures}}
`;
  const temporary = `${result}.${process.pid}`;
  writeFileSync(temporary, text);
  renameSync(temporary, result);
  const kilobytes = (plain.length / 1024).toFixed(1);
  console.log(`compiled the kernels: ${kilobytes} KB of WebAssembly`);
}

/**
 * An order of all bytes, for {@link asText}: the kernels' frequent ones come first, each at
 * the place of a character that is frequent in a program, too, so that both compress better
 * in one file; then the others, ascending.
 */
function orderOf(binary) {
  const counts = new Array(256).fill(0);
  for (const byte of binary) counts[byte]++;
  const bytes = [...counts.keys()].sort((a, b) => counts[b] - counts[a]);
  const letters = [...new Set([...FREQUENT, ...CHARACTERS])];
  const first = CHARACTERS.map((letter) => bytes[letters.indexOf(letter)]);
  const others = bytes.filter((byte) => !first.includes(byte));
  return [...first, ...others.sort((a, b) => a - b)];
}

/**
 * Encodes numbers below 256 as one or two printable characters each: text that compresses
 * like the binary itself, which base64 does not. `numbersIn` in src/kernels/simd/module.ts
 * decodes it.
 */
function asText(numbers) {
  const PREFIXES = ['', '!', ' '];
  return Array.from(numbers, (number) => {
    const prefix = PREFIXES[Math.floor(number / CHARACTERS.length)];
    return prefix + CHARACTERS[number % CHARACTERS.length];
  }).join('');
}
