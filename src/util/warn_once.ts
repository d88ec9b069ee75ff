const warned = new WeakMap<object, Set<string>>();

/** Warns on the console, once for each layer and topic. */
export function warnOnce(
  layer: object,
  who: string,
  topic: string,
  message: string,
): void {
  const topics = warned.get(layer) ?? new Set();
  warned.set(layer, topics);
  if (topics.has(topic)) return;
  topics.add(topic);
  console.warn(`${who}: ${message}`);
}
