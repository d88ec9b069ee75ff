/** A project that could not be tested here, with the reason. */
export class Skipped extends Error {}
