import {BINARY, SHARED_BINARY} from './binary.generated.js';

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
  readonly rowsNormalize: RowsKernel;
  readonly rowsApply: RowsKernel;
  rowsGrad(
    dy: Address,
    x: Address,
    dx: Address,
    batch: number,
    group: number,
    length: number,
    epsilon: number,
    centered: Flag,
    given: Flag,
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

type RowsKernel = (
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
) => void;

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
  const module = compile(shared ? SHARED_BINARY : BINARY);
  const {exports} = new WebAssembly.Instance(module, {env: {memory}});
  return exports as unknown as SimdModule;
}

function compile(base64: string): WebAssembly.Module {
  const known = compiled.get(base64);
  if (known !== undefined) return known;
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  const module = new WebAssembly.Module(bytes);
  compiled.set(base64, module);
  return module;
}
