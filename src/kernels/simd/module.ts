import {
  BEGIN,
  END,
  ORDER,
  OWN_MEMORY,
  SHARED_MEMORY,
  type SimdModule,
} from './binary.generated.js';
import {at} from '../../util/at.js';

export type {SimdModule};

/** An address in a WebAssembly memory, in bytes. */
export type Address = number;

const compiled = new Map<string, WebAssembly.Module>();

/**
 * The kernels over a memory, which stays its owner's: they have no data in it.
 *
 * Compiles at once and not in the background, so that a program has the same kernels
 * from its first step to its last.
 *
 * @param shared If true, the memory is shared between threads.
 * @throws Error if WebAssembly or its vectors are missing or forbidden, or if the
 *   platform only compiles so large a module in the background.
 */
export function instantiate(
  memory: WebAssembly.Memory,
  shared: boolean,
): SimdModule {
  const module = compile(BEGIN + (shared ? SHARED_MEMORY : OWN_MEMORY) + END);
  const {exports} = new WebAssembly.Instance(module, {env: {memory}});
  return exports as unknown as SimdModule;
}

function compile(text: string): WebAssembly.Module {
  const known = compiled.get(text);
  if (known !== undefined) return known;
  const module = new WebAssembly.Module(asBytes(text));
  compiled.set(text, module);
  return module;
}

function asBytes(text: string): Uint8Array<ArrayBuffer> {
  const order = numbersIn(ORDER);
  for (let byte = 0; byte < 256; byte++) {
    if (!order.includes(byte)) order.push(byte);
  }
  return Uint8Array.from(numbersIn(text), (number) => at(order, number));
}

/** Reads what scripts/build-simd.mjs wrote: 91 characters, each after `!`, ` ` or none. */
function numbersIn(text: string): number[] {
  const numbers: number[] = [];
  let block = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 35) {
      block = code === 33 ? 91 : 182;
    } else {
      numbers.push(block + code - (code < 92 ? 35 : 36));
      block = 0;
    }
  }
  return numbers;
}
