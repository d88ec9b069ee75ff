/* The parts of Node that the benchmark uses, as a page has them. */

/** Lets the page paint, and react to the user. */
export function setImmediate(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

/** A page does not know them. */
const cpus = (): object[] => [];

export default {cpus};
