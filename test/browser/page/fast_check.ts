import fc from 'fast-check';

declare const PROPERTY_RUNS: number;

/** fast-check's assert, with the backend's share of the runs. */
function assert<T>(
  property: fc.IRawProperty<T>,
  parameters: fc.Parameters<T> = {},
): Promise<void> | void {
  const {numRuns = 100} = parameters;
  return fc.assert(property, {
    ...parameters,
    numRuns: Math.ceil(numRuns * PROPERTY_RUNS),
  });
}

export * from 'fast-check';
export default {...fc, assert};
