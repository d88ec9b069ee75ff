import {type ChildProcessWithoutNullStreams, spawn} from 'node:child_process';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {reasonOf} from '../examples/digits/errors.js';
import type {LayerCase} from './results.js';

/** From where npm runs scripts. */
const SCRIPT = join('bench', 'torch_timing.py');

/** How much of what Python complains about is told. */
const LINES_OF_ERROR = 1;

/** What the script answers with: one of these. */
interface Answer {
  readonly version?: string;
  readonly ready?: true;
  readonly milliseconds?: number;
  readonly error?: string;
}

/** PyTorch in a process of its own, which runs when it is told to. */
export class Torch {
  private readonly answers: AsyncIterator<string, undefined>;
  private errors = '';

  private constructor(private readonly child: ChildProcessWithoutNullStreams) {
    const lines = createInterface({input: child.stdout});
    this.answers = lines[Symbol.asyncIterator]();
    child.stderr.on('data', (data: Buffer) => (this.errors += data.toString()));
    // The end of its output says that it is gone.
    child.stdin.on('error', () => undefined);
  }

  /**
   * @param python The interpreter to run.
   * @throws Error if it cannot be started or has no PyTorch.
   */
  static async start(
    python: string,
    script = SCRIPT,
  ): Promise<{torch: Torch; version: string}> {
    const child = spawn(python, [script], {stdio: 'pipe'});
    const failed = new Promise<never>((_, reject) => {
      child.once('error', (error) => {
        reject(new Error(`${python} does not start: ${reasonOf(error)}`));
      });
    });
    const torch = new Torch(child);
    const answer: Answer = await Promise.race([failed, torch.answer()]);
    const {version} = answer;
    if (version === undefined) throw new Error(`${python} tells no version`);
    return {torch, version};
  }

  /** What is to run from now on, with so many threads. */
  async prepare(layerCase: LayerCase, threads: number): Promise<void> {
    await this.ask({...layerCase, threads});
  }

  /** Runs it, and gives the milliseconds that it took in there. */
  async run(): Promise<number> {
    const {milliseconds} = await this.ask({run: true});
    return milliseconds ?? NaN;
  }

  /** Ends the process. */
  close(): void {
    this.child.stdin.end();
  }

  private ask(request: object): Promise<Answer> {
    this.child.stdin.write(`${JSON.stringify(request)}\n`);
    return this.answer();
  }

  private async answer(): Promise<Answer> {
    const {value, done} = await this.answers.next();
    if (done === true) throw new Error(`python ended: ${this.lastWords()}`);
    const answer = JSON.parse(value) as Answer;
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer;
  }

  private lastWords(): string {
    const lines = this.errors.trim().split('\n');
    return lines.slice(-LINES_OF_ERROR).join(' ');
  }
}
