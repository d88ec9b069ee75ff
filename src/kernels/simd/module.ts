import {BEGIN, END, OWN_MEMORY, SHARED_MEMORY} from './binary.generated.js';

/** An address in a WebAssembly memory, in bytes. */
export type Address = number;

type Flag = 0 | 1;

/**
 * What the WebAssembly kernels export; `assembly/` says what each does. Addresses
 * that may be 0 are those of tensors that may be absent.
 */
export interface SimdModule {
  columnBytes(width: number): number;
  sumBytes(width: number): number;
  columnMoments(
    x: Address,
    rows: number,
    width: number,
    stride: number,
    centered: Flag,
    before: number,
    moments: Address,
    size64: number,
    scratch: Address,
  ): void;
  columnConstants(
    moments: Address,
    rows: number,
    group: number,
    channel: number,
    epsilon: number,
    centered: Flag,
    gamma: Address,
    beta: Address,
    mean: Address,
    variance: Address,
    constants: Address,
  ): void;
  columnConstantsGiven(
    mean: Address,
    variance: Address,
    group: number,
    channel: number,
    epsilon: number,
    centered: Flag,
    gamma: Address,
    beta: Address,
    constants: Address,
  ): void;
  columnApply(
    x: Address,
    y: Address,
    rows: number,
    width: number,
    stride: number,
    constants: Address,
    size: number,
  ): void;
  columnGradBegin(
    mean: Address,
    group: number,
    channel: number,
    centered: Flag,
    totals: Address,
    constants: Address,
  ): void;
  columnGradSums(
    dy: Address,
    x: Address,
    rows: number,
    width: number,
    stride: number,
    constants: Address,
    totals: Address,
    size64: number,
    scratch: Address,
  ): void;
  columnGradConstants(
    totals: Address,
    rows: number,
    group: number,
    channel: number,
    epsilon: number,
    centered: Flag,
    given: Flag,
    variance: Address,
    gamma: Address,
    dmean: Address,
    dvariance: Address,
    parameters: Address,
    constants: Address,
  ): void;
  columnGradApply(
    dy: Address,
    x: Address,
    dx: Address,
    rows: number,
    width: number,
    stride: number,
    given: Flag,
    constants: Address,
    size: number,
  ): void;
  runMoments(
    x: Address,
    rows: number,
    width: number,
    inner: number,
    stride: number,
    centered: Flag,
    before: number,
    moments: Address,
    size64: number,
  ): void;
  runApply(
    x: Address,
    y: Address,
    rows: number,
    width: number,
    inner: number,
    stride: number,
    constants: Address,
    size: number,
  ): void;
  runGradSums(
    dy: Address,
    x: Address,
    rows: number,
    width: number,
    inner: number,
    stride: number,
    constants: Address,
    totals: Address,
    size64: number,
  ): void;
  runGradApply(
    dy: Address,
    x: Address,
    dx: Address,
    rows: number,
    width: number,
    inner: number,
    stride: number,
    given: Flag,
    constants: Address,
    size: number,
  ): void;
  rowsNormalize(
    x: Address,
    y: Address,
    batch: number,
    group: number,
    length: number,
    epsilon: number,
    centered: Flag,
    gamma: Address,
    beta: Address,
    mean: Address,
    variance: Address,
  ): void;
  rowsGrad(
    dy: Address,
    x: Address,
    dx: Address,
    batch: number,
    group: number,
    length: number,
    epsilon: number,
    centered: Flag,
    mean: Address,
    variance: Address,
    gamma: Address,
    dmean: Address,
    dvariance: Address,
    dgamma: Address,
    dbeta: Address,
    totals: Address,
  ): void;
  moveStatistics(
    movingMean: Address,
    movingVariance: Address,
    mean: Address,
    variance: Address,
    rate: Address,
    nextMean: Address,
    nextVariance: Address,
    length: number,
  ): void;
  demote(from: Address, to: Address, length: number): void;
  zero(address: Address, bytes: number): void;
}

const compiled = new Map<string, WebAssembly.Module>();

/**
 * The kernels over a memory, which stays its owner's: they have no data in it.
 *
 * Compiles at once and not in the background, so that a program has the same kernels
 * from its first step to its last.
 *
 * @param shared Whether the memory is shared between threads.
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

/** Reads what scripts/build-simd.mjs wrote: 91 characters, each after `!`, ` ` or none. */
function asBytes(text: string): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];
  let block = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 35) {
      block = code === 33 ? 91 : 182;
    } else {
      bytes.push(block + code - (code < 92 ? 35 : 36));
      block = 0;
    }
  }
  return Uint8Array.from(bytes);
}
