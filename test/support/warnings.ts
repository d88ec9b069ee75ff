/** tfjs's own, on webgpu, of whoever reads at once; tests do, and nothing else. */
const OF_READING = 'synchronously reading data from GPU';

/** The warnings of the running test so far; the setup catches them. */
export function warnings(): string[] {
  return jest
    .mocked(console.warn)
    .mock.calls.map(([text]) => String(text))
    .filter((text) => !text.includes(OF_READING));
}
