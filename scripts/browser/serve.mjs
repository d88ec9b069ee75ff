// Serves files from memory and WebAssembly from node_modules, only to this
// machine.
import {readFileSync} from 'node:fs';
import {createServer} from 'node:http';
import {createRequire} from 'node:module';
import {dirname, extname, join} from 'node:path';

const require = createRequire(import.meta.url);
const wasm = dirname(require.resolve('@tensorflow/tfjs-backend-wasm'));

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.wasm': 'application/wasm',
};

/** With these headers a page may have shared memory, which threads need. */
const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

const PAGE = `<!doctype html>
<meta charset="utf-8" />
<link rel="icon" href="data:," />
<title>Tests</title>
<script src="/framework.js"></script>
`;

/**
 * Serves `files` by path, with `/page.html`, the cross-origin isolated
 * `/isolated.html`, and `/wasm/` with tfjs's WebAssembly.
 *
 * @returns {Promise<{url: string, close(): Promise<void>}>}
 */
export async function serve(files) {
  const server = createServer((request, response) => {
    const {pathname} = new URL(request.url, 'http://localhost');
    const content = contentOf(pathname, files);
    if (content === undefined) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, {
      'Content-Type': TYPES[extname(pathname)] ?? 'application/octet-stream',
      'Cache-Control': 'max-age=3600',
      ...(pathname === '/page.html' ? {} : ISOLATION),
    });
    response.end(content);
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    close: () => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

function contentOf(path, files) {
  if (path === '/page.html' || path === '/isolated.html') return PAGE;
  const [, name] = /^\/wasm\/([\w-]+\.wasm)$/.exec(path) ?? [];
  return name === undefined ? files.get(path) : readFileSync(join(wasm, name));
}
