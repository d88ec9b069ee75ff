/** What could not be tried here, and why. */
export class Skipped extends Error {}
