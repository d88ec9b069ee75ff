import {type ChildProcessWithoutNullStreams, spawn} from 'node:child_process';
import {createInterface} from 'node:readline';
import {reasonOf} from '../tools/errors.js';

/** The number of lines of a program's error output to report. */
const LINES_OF_ERROR = 1;

/** A program's answer: one of these each time. */
export interface Answer {
  readonly version?: string;
  readonly ready?: true;
  readonly milliseconds?: number;
  readonly error?: string;
}

/**
 * A program in a separate process, which takes requests and answers in lines of
 * JSON.
 */
export class Peer {
  private readonly answers: AsyncIterator<string, undefined>;
  private errors = '';

  private constructor(
    private readonly child: ChildProcessWithoutNullStreams,
    private readonly name: string,
  ) {
    const lines = createInterface({input: child.stdout});
    this.answers = lines[Symbol.asyncIterator]();
    child.stderr.on('data', (data: Buffer) => (this.errors += data.toString()));
    // The end of its output shows that it has ended.
    child.stdin.on('error', () => undefined);
  }

  /**
   * Starts a program, whose first answer is its version.
   *
   * @param name The program as messages name it.
   * @throws Error if it does not start or does not report a version.
   */
  static async start(
    program: string,
    args: readonly string[],
    name: string,
  ): Promise<{peer: Peer; version: string}> {
    const child = spawn(program, args, {stdio: 'pipe'});
    const failed = new Promise<never>((_, reject) => {
      child.once('error', (error) => {
        reject(new Error(`${program} does not start: ${reasonOf(error)}`));
      });
    });
    const peer = new Peer(child, name);
    const {version} = await Promise.race([failed, peer.answer()]);
    if (version === undefined) throw new Error(`${program} reports no version`);
    return {peer, version};
  }

  /** @throws Error with the program's own error. */
  ask(request: object): Promise<Answer> {
    this.child.stdin.write(`${JSON.stringify(request)}\n`);
    return this.answer();
  }

  /** Ends the process. */
  close(): void {
    this.child.stdin.end();
  }

  private async answer(): Promise<Answer> {
    const {value, done} = await this.answers.next();
    if (done === true) {
      throw new Error(`${this.name} ended: ${this.lastWords()}`);
    }
    const answer = JSON.parse(value) as Answer;
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer;
  }

  private lastWords(): string {
    const lines = this.errors.trim().split('\n');
    return lines.slice(-LINES_OF_ERROR).join(' ');
  }
}
