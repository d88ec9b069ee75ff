/**
 * What stands in for the kernels of tfjs-node in a bundle for browsers, which have no
 * such backend (package.json, "browser").
 *
 * @throws Error
 */
export function tensorflowKernels(): never {
  throw new Error('a bundle for browsers is without them');
}
