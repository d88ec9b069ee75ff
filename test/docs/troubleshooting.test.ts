// docs/troubleshooting.md lists every error and warning, and nothing else.
import {mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {codeMessages, documentedMessages} from '../../scripts/docs/messages.js';
import {ROOT} from './blocks.js';

const inCode = codeMessages(ROOT);
const documented = documentedMessages(ROOT);

/** The messages of some programs, each a file, by their names. */
function messagesIn(programs: Readonly<Record<string, string>>): object {
  const root = mkdtempSync(join(tmpdir(), 'messages-'));
  try {
    for (const folder of ['src', 'layers']) mkdirSync(join(root, folder));
    writeFileSync(join(root, 'tsconfig.json'), '{"compilerOptions": {}}');
    for (const [name, code] of Object.entries(programs)) {
      writeFileSync(join(root, 'src', `${name}.ts`), `${code}\nexport {};`);
    }
    const found = codeMessages(root);
    return Object.fromEntries(
      Object.keys(programs).map((name) => [
        name,
        found
          .filter(({place}) => place.startsWith(`src/${name}.ts:`))
          .map(({text}) => text),
      ]),
    );
  } finally {
    rmSync(root, {recursive: true});
  }
}

describe('docs/troubleshooting.md', () => {
  it('has an entry for every message of the code', () => {
    const known = new Set(documented.map(({text}) => text));
    const missing = inCode.filter(({text}) => !known.has(text));
    expect(missing).toEqual([]);
  });

  it('has no entry for a message that the code does not have', () => {
    const known = new Set(inCode.map(({text}) => text));
    const left = documented.filter(({text}) => !known.has(text));
    expect(left.map(({text}) => text)).toEqual([]);
  });

  it('says the cause and the cure of each, once', () => {
    const texts = documented.map(({text}) => text);
    expect(new Set(texts).size).toBe(texts.length);
    for (const {text, cells} of documented) {
      expect([text, cells.length, cells.every((cell) => cell !== '')]).toEqual([
        text,
        3,
        true,
      ]);
    }
  });

  it('is about all folders that have messages', () => {
    const folders = inCode.map(({place}) =>
      place.split('/').slice(0, 2).join(),
    );
    expect(new Set(folders).size).toBeGreaterThan(8);
    expect(inCode.length).toBeGreaterThan(200);
  });
});

describe('the messages of a program', () => {
  const REFUSAL =
    'function refusal(who: string, what: string, name: string, value: unknown) ' +
    '{ return new Error(`${who}: ${what}. ${name}=${String(value)}`); }';

  it('are found, however they are made', () => {
    const programs = {
      error: "throw new Error('too large');",
      subclass: "throw new RangeError('too large.');",
      warning:
        'const f = (n: string) => console.warn(`Layer ${n}: slow. Received: a=1`);',
      hole: 'const f = (n: number) => new Error(`no ${n}`);',
      condition:
        "const f = (n: number) => new Error(n > 0 ? 'above' : 'below');",
      sum: "const END = 'the end'; throw new Error('this is ' + END);",
      refusal: `${REFUSAL} throw refusal('Layer', 'it is odd', 'n', 1);`,
      callback: `${REFUSAL}
        const fail = (what: string) => { throw refusal('L', what, 'n', 1); };
        function f(lack: (what: string) => void): void { lack('a lack'); }
        f(fail);`,
      returned:
        "function why() { return 'it is closed'; } throw new Error(why());",
    };
    expect(messagesIn(programs)).toEqual({
      error: ['too large'],
      subclass: ['too large'],
      warning: ['slow'],
      hole: ['no …'],
      condition: ['above', 'below'],
      sum: ['this is the end'],
      refusal: ['it is odd'],
      callback: ['a lack'],
      returned: ['it is closed'],
    });
  });
});
