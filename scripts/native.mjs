// Builds the addons of native/ from its C sources, reproducibly: with a pinned zig, whose
// Clang builds for every machine. Its self test is built with sanitizers.
import {spawnSync} from 'node:child_process';
import {createHash} from 'node:crypto';
import fs from 'node:fs';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {parseArgs} from 'node:util';
import {testOn, VERSIONS} from './older-tensorflow.mjs';

const ADDON = 'tfjs_normalization.node';

/** zig comes as a wheel from PyPI; a wheel is one of these, or is refused. */
const ZIG = 'ziglang==0.17.1';
const WHEELS = [
  // Linux on x64 and arm64
  'ea6cc5d87b033cf0aedfbc8f9549a908cae6c50ac31f1698188fa48a74524b54',
  'b7c5f02fccd40f89b999ee16a1f5ddced56e6182370f8affe494bcf8a28cf07e',
  // macOS on x64 and arm64
  '4e0b4b9c02b8d0d220e9948010f860b62ff11d96abb39762eca5fa2ef3f7bc97',
  '09953b6af7f64168b915180a42774f520f92d86ef6331b28e33915c7e1f0bb23',
  // Windows on x64
  '69c3dfc3aff6a297ec4017aa904782c0e450eb988982d7f675d83edce27526fb',
];

/** The machines that tfjs-node has a TensorFlow for, by Node's names and by zig's. */
const TARGETS = {
  'linux-x64': 'x86_64-linux-gnu.2.17',
  'linux-arm64': 'aarch64-linux-gnu.2.17',
  'darwin-x64': 'x86_64-macos.11.0',
  'darwin-arm64': 'aarch64-macos.11.0',
  'win32-x64': 'x86_64-windows-gnu',
};
const HERE = `${process.platform}-${process.arch}`;

/** The instruction sets that the loops are compiled for, with flags of zig and of others. */
const INSTRUCTIONS = {
  x64: {
    base: {zig: ['-mcpu=x86_64'], system: ['-march=x86-64']},
    avx2: {zig: ['-mcpu=x86_64_v3'], system: ['-march=x86-64-v3']},
    avx512: {
      zig: ['-mcpu=x86_64_v4', '-mprefer-vector-width=512'],
      system: ['-march=x86-64-v4', '-mprefer-vector-width=512'],
    },
  },
  arm64: {base: {zig: [], system: []}},
};

const FLAGS = [
  ...['-std=gnu11', '-Wall', '-Wextra', '-Werror', '-Wno-psabi', '-fPIC'],
  // NaN and infinity keep their meaning, signs of zero too.
  ...['-ffp-contract=fast', '-fno-math-errno', '-fno-trapping-math'],
  '-fvisibility=hidden',
];
const OPTIMIZED = ['-O3', '-g0', '-fno-sanitize=undefined'];

/** Sanitizers that exclude each other. */
const SANITIZERS = ['address,undefined', 'thread'];

const HELP = `Usage: npm run native [-- options]

Builds the addon of tfjs-normalization-native for this machine into native/prebuilt/, unless
it is newer than its sources, and prints its SHA-256 sum. The compiler is ${ZIG} from PyPI,
which python3 with pip gets once (100 MB), or else the system's clang.

  --all         build for ${Object.keys(TARGETS).join(', ')}
  --system      build with the system's clang; for this machine alone
  --selftest    build the self test with the system's clang or gcc and run it: with each
                instruction set of this machine, under the sanitizers
  --tensorflow <version>
                build, get this TensorFlow from Maven Central once (100 MB), and run the
                tests of the native kernels on it; one or several, each with its option:
                ${VERSIONS.join(', ')}. That takes tfjs-node (npm run add-tensorflow), mvn, and
                Linux on x64
  --help        print this`;

const OPTIONS = {
  all: {type: 'boolean', default: false},
  system: {type: 'boolean', default: false},
  selftest: {type: 'boolean'},
  tensorflow: {type: 'string', multiple: true, default: []},
  help: {type: 'boolean'},
};

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const native = join(root, 'native');
const source = join(native, 'src');
const cache = join(root, 'node_modules', '.cache', 'native');

await main(process.argv.slice(2));

async function main(args) {
  try {
    const {values} = parseArgs({args, options: OPTIONS});
    const {all, system, selftest, tensorflow, help} = values;
    if (help) {
      console.log(HELP);
      return;
    }
    if (selftest) selfTest();
    if (!selftest || tensorflow.length > 0) {
      build(all ? Object.keys(TARGETS) : [HERE], system);
    }
    for (const version of tensorflow) await testOn(version, cache);
  } catch (error) {
    const isWrongUse = String(error.code).startsWith('ERR_PARSE_ARGS');
    console.error(
      `native: ${error.message}${isWrongUse ? ' (try --help)' : ''}`,
    );
    process.exitCode = isWrongUse ? 2 : 1;
  }
}

function build(machines, system) {
  const strange = machines.find((machine) => !(machine in TARGETS));
  if (strange !== undefined) {
    throw new Error(`there is no TensorFlow for ${strange}`);
  }
  let compiler;
  for (const machine of machines) {
    const addon = join(native, 'prebuilt', machine, ADDON);
    if (!isFresh(addon)) {
      compiler ??= system ? systemCompiler(['clang']) : zigOrClang(machines);
      buildFor(machine, compiler, addon);
    }
    const bytes = fs.readFileSync(addon);
    const sum = createHash('sha256').update(bytes).digest('hex');
    console.log(`${sum}  prebuilt/${machine}/${ADDON}`);
  }
}

function isFresh(addon) {
  const made = fs.statSync(addon, {throwIfNoEntry: false})?.mtimeMs ?? 0;
  const sources = [
    fileURLToPath(import.meta.url),
    ...filesOf(source, /\.[ch]$/).map((file) => join(source, file)),
  ];
  return sources.every((file) => fs.statSync(file).mtimeMs < made);
}

/** Paths below a folder, in an order of their own. */
function filesOf(folder, pattern) {
  return fs
    .readdirSync(folder, {recursive: true})
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => pattern.test(file))
    .sort();
}

function buildFor(machine, compiler, addon) {
  const objects = compile(machine, compiler, OPTIMIZED, join(cache, machine));
  const made = join(cache, machine, ADDON);
  compiler.run(machine, [
    ...['-shared', '-s', '-o', made, ...objects],
    ...linkFlags(machine),
  ]);
  if (machine.startsWith('win32')) clearTimestamps(made);
  fs.mkdirSync(dirname(addon), {recursive: true});
  // Replaced, not written to: a program may have it loaded.
  const temporary = `${addon}.${process.pid}`;
  fs.copyFileSync(made, temporary);
  fs.renameSync(temporary, addon);
}

/** Compiles every source in a folder of its own, the loops once for each instruction set. */
function compile(machine, compiler, flags, folder, names = undefined) {
  fs.rmSync(folder, {recursive: true, force: true});
  fs.mkdirSync(folder, {recursive: true});
  const sets = INSTRUCTIONS[machine.split('-')[1]];
  const plain = sets.base[compiler.kind];
  const object = (file, name, more) => {
    const to = join(folder, `${name}.o`);
    const how = [...FLAGS, ...flags, ...more];
    compiler.run(machine, [...how, '-c', file, '-o', to]);
    return to;
  };
  const files = names ?? filesOf(source, /\.c$/);
  return files.flatMap((file) => {
    const name = file.replace(/\.c$/, '').replaceAll(/[./]/g, '_');
    if (file !== 'loops/loops.c') return [object(file, name, plain)];
    return Object.entries(sets).map(([isa, how]) =>
      object(file, `${name}_${isa}`, [...how[compiler.kind], `-DISA=${isa}`]),
    );
  });
}

function linkFlags(machine) {
  if (machine.startsWith('win32')) return [];
  // Else the name would be the path that it was built at.
  const name = `-Wl,-install_name,@rpath/${ADDON}`;
  return machine.startsWith('darwin')
    ? ['-Wl,-dead_strip', name]
    : ['-lpthread', '-ldl', '-lm'];
}

/** Zeros the times of building in a Windows library. */
function clearTimestamps(file) {
  const bytes = fs.readFileSync(file);
  const header = bytes.readUInt32LE(0x3c);
  bytes.writeUInt32LE(0, header + 8);
  const optional = header + 24;
  const sections = bytes.readUInt16LE(header + 6);
  const first = optional + bytes.readUInt16LE(header + 20);
  // The directories of exports, of resources and of debugging have one each.
  for (const directory of [0, 2, 6]) {
    const address = bytes.readUInt32LE(optional + 112 + 8 * directory);
    const size = bytes.readUInt32LE(optional + 116 + 8 * directory);
    if (address === 0) continue;
    const begin = offsetOf(bytes, first, sections, address);
    const entries = directory === 6 ? size / 28 : 1;
    for (let i = 0; i < entries; i++)
      bytes.writeUInt32LE(0, begin + 28 * i + 4);
  }
  fs.writeFileSync(file, bytes);
}

/** The place in a Windows library's file of an address in memory. */
function offsetOf(bytes, first, count, address) {
  for (let i = 0; i < count; i++) {
    const section = first + 40 * i;
    const size = bytes.readUInt32LE(section + 8);
    const begin = bytes.readUInt32LE(section + 12);
    if (address < begin || address >= begin + size) continue;
    return address - begin + bytes.readUInt32LE(section + 20);
  }
  throw new Error('a directory of the library lies in no section');
}

function zigOrClang(machines) {
  try {
    return zig();
  } catch (error) {
    if (machines.some((machine) => machine !== HERE)) throw error;
    console.log(`${error.message}; building with clang instead`);
    return systemCompiler(['clang']);
  }
}

function zig() {
  const program = join(
    ...[cache, ZIG, 'ziglang'],
    process.platform === 'win32' ? 'zig.exe' : 'zig',
  );
  if (!fs.existsSync(program)) getZig();
  const env = {ZIG_GLOBAL_CACHE_DIR: join(cache, 'zig')};
  return {
    kind: 'zig',
    run: (machine, flags) =>
      run(program, ['cc', '-target', TARGETS[machine], ...flags], env),
  };
}

function getZig() {
  console.log(`get ${ZIG} from PyPI`);
  fs.mkdirSync(cache, {recursive: true});
  const list = join(cache, 'requirements.txt');
  const hashes = WHEELS.map((sum) => `--hash=sha256:${sum}`);
  fs.writeFileSync(list, `${[ZIG, ...hashes].join(' ')}\n`);
  const to = join(cache, `wheel-${process.pid}`);
  const how = ['--no-deps', '--only-binary=:all:', '--require-hashes'];
  run('python3', [
    ...['-m', 'pip', 'download', ...how, '--dest', to, '-r', list],
  ]);
  const [wheel] = fs.readdirSync(to);
  run('python3', ['-m', 'zipfile', '-e', join(to, wheel), join(to, 'all')]);
  fs.renameSync(join(to, 'all'), join(cache, ZIG));
  fs.rmSync(to, {recursive: true});
  const zig = join(cache, ZIG, 'ziglang', 'zig');
  if (fs.existsSync(zig)) fs.chmodSync(zig, 0o755);
}

/** The first of these compilers that the system has. */
function systemCompiler(names) {
  const name = names.find(
    (each) => spawnSync(each, ['--version']).status === 0,
  );
  if (name === undefined) throw new Error(`there is no ${names.join(' or ')}`);
  return {kind: 'system', run: (machine, flags) => run(name, flags)};
}

/** The computing alone, without TensorFlow and Node, in a program that checks itself. */
function selfTest() {
  const compiler = systemCompiler(['clang', 'clang-14', 'gcc']);
  const files = filesOf(source, /\.c$/).filter(
    (file) => !/^(addon|kernels|ops|tensorflow)\.c$/.test(file),
  );
  const isas = Object.keys(INSTRUCTIONS[process.arch] ?? {});
  if (isas.length === 0) throw new Error(`no self test for ${process.arch}`);
  for (const sanitizer of SANITIZERS) {
    const flags = ['-O1', '-g', `-fsanitize=${sanitizer}`];
    const folder = join(cache, `selftest-${sanitizer}`);
    const strict = [...flags, '-fno-sanitize-recover=all'];
    const all = [...files, '../test/selftest.c'];
    const objects = compile(HERE, compiler, strict, folder, all);
    const program = join(folder, 'selftest');
    compiler.run(HERE, [
      ...strict,
      '-o',
      program,
      ...objects,
      '-lpthread',
      '-lm',
    ]);
    for (const isa of isas) {
      process.stdout.write(`${sanitizer}: ${run(program, [isa])}`);
    }
  }
}

/** Returns what the program prints. Relative paths, so that none gets into what is built. */
function run(program, args, env = {}) {
  const {status, error, stdout, stderr} = spawnSync(program, args, {
    cwd: source,
    env: {...process.env, ...env},
    encoding: 'utf8',
    maxBuffer: Infinity,
  });
  if (status === 0) return stdout;
  const output = `${stderr ?? ''}${stdout ?? ''}`.trim();
  throw new Error(error?.message ?? `${program} has failed:\n${output}`);
}
