import {PassThrough} from 'node:stream';
import {createProgress} from '../../bench/progress.js';

/** Returns a stream, and a function for the text written to it. */
function recorder(isTTY: boolean): {
  stream: NodeJS.WriteStream;
  written: () => string;
} {
  const stream = Object.assign(new PassThrough(), {isTTY, columns: 80});
  const written = (): string => String(stream.read() ?? '');
  return {stream: stream as unknown as NodeJS.WriteStream, written};
}

describe('createProgress', () => {
  it('writes lines without a terminal', () => {
    const {stream, written} = recorder(false);
    const progress = createProgress(2, stream);
    progress.begin('one');
    progress.begin('another');
    progress.end();
    expect(written()).toBe('1/2  one\n2/2  another\n');
  });

  it('draws a bar in a terminal, and erases it at the end', () => {
    const {stream, written} = recorder(true);
    const progress = createProgress(2, stream);
    expect(written()).toContain('0/2');
    progress.begin('one');
    progress.begin('another');
    progress.end();
    const text = written();
    expect(text).toContain('2/2');
    expect(text).toContain('another');
    // The bar's lines are erased, none is left.
    expect(text).not.toContain('\n');
  });
});
