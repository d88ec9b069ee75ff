/** Runs `npx tfjs-normalization`, which works on models in files. */
import {createRequire} from 'node:module';
import {convertCommand} from './convert_command.js';
import {messageOf, UsageError} from './failures.js';
import {foldCommand} from './fold_command.js';
import {inspectCommand} from './inspect_command.js';
import {parseRequest, type Request} from './options.js';
import {createProgress, type Progress} from './progress.js';

const FAILED = 1;
const UNUSABLE = 2;

async function main(args: readonly string[]): Promise<void> {
  const request = parseRequest(args, version(), (text) =>
    process.stdout.write(text),
  );
  if (request === undefined) return;
  const progress = createProgress();
  const answer = await run(request, progress).finally(() => progress.end());
  process.stdout.write(`${answer}\n`);
}

function run(request: Request, progress: Progress): Promise<string> {
  switch (request.command) {
    case 'convert':
      return convertCommand(request, progress);
    case 'inspect':
      return inspectCommand(request, progress);
    case 'fold':
      return foldCommand(request, progress);
  }
}

function version(): string {
  const require = createRequire(__filename);
  const {version: text} = require('tfjs-normalization/package.json') as {
    version: string;
  };
  return text;
}

// tf.js 4.22 uses a Node module that Node 21 and later warn of.
process.noDeprecation = true;

// The reader of the output may close it early, as head does.
process.stdout.on('error', () => process.exit(FAILED));

main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`tfjs-normalization: ${messageOf(error)}\n`);
  process.exitCode = error instanceof UsageError ? UNUSABLE : FAILED;
});
