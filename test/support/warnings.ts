/** The warnings of the running test so far; the setup catches them. */
export function warnings(): string[] {
  return jest.mocked(console.warn).mock.calls.map(([text]) => String(text));
}
