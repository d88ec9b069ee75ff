import {listed} from './listed.js';

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

/** Warnings about a loaded model, one per topic. */
export class Notes {
  private readonly details = new Map<string, Set<string>>();

  constructor(private readonly who: string) {}

  /** Adds a detail to a topic. */
  add(topic: string, detail: string): void {
    const known = this.details.get(topic) ?? new Set();
    this.details.set(topic, known.add(detail));
  }

  /** Warns of all topics on the console. */
  warn(): void {
    for (const [topic, details] of this.details) {
      console.warn(`${this.who}: ${topic}: ${listed([...details])}`);
    }
    this.details.clear();
  }
}
