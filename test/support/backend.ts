declare const BACKEND: string;

/** The backend that the tests of this project run on. */
export const backend = BACKEND;
