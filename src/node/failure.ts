const LONGEST = 200;

/** `fileSystem <path>: <what is wrong>. <received>`, in one line. */
export function failure(path: string, what: string, received: string): Error {
  const message = `fileSystem ${path}: ${what}. ${cut(received)}`;
  // Paths may contain line breaks, and so may messages of JSON.parse.
  return new Error(message.replace(/\s*[\r\n]+\s*/g, ' '));
}

/** Returns the system's own message, without a final full stop. */
export function reasonOf(error: unknown): string {
  // Not instanceof: Jest and vm have an Error of their own.
  const {message = error} = (error ?? {}) as {message?: unknown};
  return String(message).replace(/\.$/, '');
}

/** Returns the code of a system error, such as `'ENOENT'`; '' for any other. */
export function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? '';
}

function cut(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}
