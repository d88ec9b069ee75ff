/** The number of bytes of a value in a file of weights. */
export const DTYPE_BYTES = {
  float32: 4,
  int32: 4,
  complex64: 8,
  bool: 1,
  float16: 2,
  uint16: 2,
  uint8: 1,
} as const;
