/** An error that the user can fix: printed in one line, with exit code 2. */
export class InputError extends Error {}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EEXIST: 'a file is in the way',
  EISDIR: 'it is a folder',
  ENOENT: 'no such file or folder',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'a part of the path is not a folder',
  EPERM: 'not permitted',
  EROFS: 'the file system is read-only',
};

/**
 * Returns the system's reason for a failure, in plain words for common codes.
 */
export function reasonOf(error: unknown): string {
  const code = (error as {code?: unknown} | null)?.code;
  const known = typeof code === 'string' ? REASONS[code] : undefined;
  if (known !== undefined) return known;
  return error instanceof Error ? error.message : String(error);
}

/**
 * Puts a message in one line, even if a path or a quoted value has line breaks.
 */
export function oneLine(message: string): string {
  return message.replace(/\s*[\r\n\u2028\u2029]+\s*/g, ' ').trim();
}
