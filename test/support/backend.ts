declare const BACKEND: string;
declare const NATIVE: boolean;

/** The backend that the tests of this project run on. */
export const backend = BACKEND;

/** If true, they run on the native kernels of that backend. */
export const isNative = NATIVE;
