/**
 * tfjs's own warning on webgpu about synchronous reads, which only tests do.
 */
const OF_READING = 'synchronously reading data from GPU';

/** Returns the warnings of the running test so far, caught by the setup. */
export function warnings(): string[] {
  return jest
    .mocked(console.warn)
    .mock.calls.map(([text]) => String(text))
    .filter((text) => !text.includes(OF_READING));
}
