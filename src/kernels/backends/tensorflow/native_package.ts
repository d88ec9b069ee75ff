import {reasonOf} from '../../../util/reason_of.js';

/*
 * The optional package tfjs-normalization-native. This one does not depend on it: it looks for
 * it where a program would, and does without where there is none.
 */

const PACKAGE = 'tfjs-normalization-native';

/** The variable of the environment that asks for the package with 1, and forbids it with 0. */
const VARIABLE = 'TFJS_NORMALIZATION_NATIVE';

/** The version of its ops that this package knows. */
const VERSION = 1;

/** The part of the package that is used: see its index.d.ts. */
interface NativePackage {
  install(): {readonly version: number};
}

/** A part of Node's module `node:module`. */
interface ModuleLoader {
  readonly createRequire: (file: string) => {
    (name: string): unknown;
    readonly resolve: (name: string) => string;
  };
}

/**
 * Makes something of the package's ops, once they are registered with TensorFlow.
 *
 * @param make Throws where the ops are of no use.
 * @returns undefined without the package; one line then says why, if it was asked for.
 */
export function withNativeOps<Result>(make: () => Result): Result | undefined {
  const wish = process.env[VARIABLE] ?? '';
  if (wish === '0') return undefined;
  try {
    if (wish !== '' && wish !== '1') {
      throw new Error(`${VARIABLE} must be 0 or 1, and is ${wish}`);
    }
    const {version} = findPackage().install();
    if (version !== VERSION) {
      throw new Error(
        `${PACKAGE} has ops of version ${version}, and ${VERSION} is needed`,
      );
    }
    return make();
  } catch (error) {
    if (wish !== '') {
      console.warn(
        `tfjs-normalization: the native kernels asked for by ${VARIABLE} cannot be used, ` +
          `and others compute: ${reasonOf(error)}`,
      );
    }
    return undefined;
  }
}

/** Found by Node's own means: bundlers would want to have it, or fail. */
function findPackage(): NativePackage {
  const {createRequire} = moduleLoader();
  for (const file of placesToLookFrom()) {
    const require = createRequire(file);
    let found: string;
    try {
      found = require.resolve(PACKAGE);
    } catch {
      continue;
    }
    return require(found) as NativePackage;
  }
  throw new Error(`${PACKAGE} is not installed`);
}

function moduleLoader(): ModuleLoader {
  const node = process as {
    getBuiltinModule?: (name: string) => unknown;
  };
  if (node.getBuiltinModule === undefined) {
    throw new Error('this Node is too old: 20.16 and 22.3 can find it');
  }
  return node.getBuiltinModule('node:module') as ModuleLoader;
}

/** This file, where modules know theirs, and the program. */
function placesToLookFrom(): string[] {
  const here = typeof __filename === 'string' ? __filename : undefined;
  return [here, process.argv[1]].filter(
    (file) => file !== undefined && /^([/\\]|[a-z]:)/i.test(file),
  ) as string[];
}
