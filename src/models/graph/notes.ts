import {listed} from '../../util/listed.js';

/** What a user should know of a model that was loaded, one warning a topic. */
export class Notes {
  private readonly details = new Map<string, Set<string>>();

  constructor(private readonly who: string) {}

  /** Adds whom or what a topic is about. */
  add(topic: string, detail: string): void {
    const known = this.details.get(topic) ?? new Set();
    this.details.set(topic, known.add(detail));
  }

  /** Says it all on the console. */
  warn(): void {
    for (const [topic, details] of this.details) {
      console.warn(`${this.who}: ${topic}: ${listed([...details])}`);
    }
    this.details.clear();
  }
}
