import {io} from '@tensorflow/tfjs-core';
import {refusal} from '../util/received.js';

/**
 * Returns the load function of a handler, or of the handler for a URL.
 *
 * @throws Error if nothing loads from it.
 */
export function loaderOf(
  source: string | io.IOHandler,
  who: string,
): () => Promise<io.ModelArtifacts> {
  // As tf.loadLayersModel does, a path of no known scheme is a relative URL.
  const handler =
    typeof source === 'string'
      ? (only(io.getLoadHandlers(source), source, who) ??
        io.browserHTTPRequest(source))
      : source;
  const load = handlerMethod(handler, 'load');
  if (load) return load as () => Promise<io.ModelArtifacts>;
  throw refusal(
    who,
    'the source must be a URL or an IOHandler that loads',
    'source',
    source,
  );
}

/**
 * Returns the save function of a handler, or of the handler for a URL.
 *
 * @throws Error if nothing saves to it.
 */
export function saverOf(
  target: string | io.IOHandler,
  who: string,
): io.SaveHandler {
  const handler =
    typeof target === 'string'
      ? only(io.getSaveHandlers(target), target, who)
      : target;
  const save = handlerMethod(handler, 'save');
  if (save) return save as io.SaveHandler;
  throw refusal(
    who,
    'the target must be a URL of a registered scheme or an ' +
      'IOHandler that saves',
    'target',
    target,
  );
}

function only(
  handlers: io.IOHandler[],
  url: string,
  who: string,
): io.IOHandler | undefined {
  if (handlers.length <= 1) return handlers[0];
  throw refusal(
    who,
    `${handlers.length} handlers are registered for the URL`,
    'url',
    url,
  );
}

function handlerMethod(handler: unknown, method: 'load' | 'save'): unknown {
  const methods = handler as Partial<io.IOHandler> | null | undefined;
  const found = methods?.[method];
  return typeof found === 'function' ? found.bind(handler) : undefined;
}
