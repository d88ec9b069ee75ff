import {io} from '@tensorflow/tfjs-core';
import {FileSystemHandler} from './file_system.js';

type Router = Parameters<typeof io.registerLoadRouter>[0];
type Lookup = typeof io.getLoadHandlers;

const SCHEME = 'file://';

/**
 * Makes tfjs save to and load from `file://` URLs, unless something else does.
 *
 * tfjs refuses a URL that two routers answer, so ours answers only those that
 * no other does: tfjs-node may be loaded before or after it.
 */
export function registerFileScheme(): void {
  register(io.getSaveHandlers, io.registerSaveRouter);
  register(io.getLoadHandlers, io.registerLoadRouter);
}

/**
 * Returns the path in a `file://` URL: all that follows, unchanged, as in
 * tfjs-node, but without the slash before the drive in `file:///C:/…`.
 * Undefined for other URLs.
 */
export function pathOfUrl(
  url: string | string[],
  platform: string = process.platform,
): string | undefined {
  if (typeof url !== 'string' || !url.startsWith(SCHEME)) return undefined;
  const path = url.slice(SCHEME.length);
  const hasDrive = platform === 'win32' && /^\/[A-Za-z]:/.test(path);
  return hasDrive ? path.slice(1) : path;
}

function register(lookup: Lookup, add: (router: Router) => void): void {
  // tfjs-node is loaded, or another copy of this package, whose router would
  // ask ours as ours asks it.
  if (lookup(`${SCHEME}model.json`).length > 0) return;
  add(routerThatYields(lookup));
}

function routerThatYields(lookup: Lookup): Router {
  let asking = false;
  const router = (
    url: string | string[],
    options?: io.LoadOptions,
  ): io.IOHandler | null => {
    const path = pathOfUrl(url);
    if (path === undefined || asking) return null;
    // Asks all routers again, including this one, which then stays silent.
    asking = true;
    try {
      if (lookup(url, options).length > 0) return null;
    } finally {
      asking = false;
    }
    return new FileSystemHandler(path, {onProgress: options?.onProgress});
  };
  // tfjs expects null for "not mine", but its types omit it.
  return router as Router;
}
