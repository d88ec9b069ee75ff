import {readFileSync} from 'node:fs';
import {join, relative} from 'node:path';
import * as ts from 'typescript';

/*
 * The messages of all errors and warnings, as they stand in the code and as
 * docs/troubleshooting.md lists them. A part that varies is `…` in both.
 */

/** A message in the code. */
export interface CodeMessage {
  readonly text: string;
  /** The file, and the line. */
  readonly place: string;
}

/** A line of a table in docs/troubleshooting.md. */
export interface DocumentedMessage {
  readonly text: string;
  /** The words of the heading above it, among which are names of exports. */
  readonly about: readonly string[];
  /** The message, the cause and the cure. */
  readonly cells: readonly string[];
}

const PAGE = 'docs/troubleshooting.md';
const HOLE = '…';
const DEEPEST = 5;
/** The most readings of one expression that are listed one by one. */
const MOST = 12;
/** The same of a part of a message, whose readings must be of so many letters. */
const MOST_SENTENCES = 4;
const SENTENCE = 12;

/** The argument that is the message, of the functions that make or show one. */
const SPEAKERS: Readonly<Record<string, number>> = {
  refusal: 1,
  failure: 1,
  'Notes.add': 0,
  'NormLayer.warnOnce': 1,
  'BatchNormState.warnOnce': 1,
  warnOnce: 3,
};

/** Reads the lines of the tables of docs/troubleshooting.md. */
export function documentedMessages(root: string): DocumentedMessage[] {
  const found: DocumentedMessage[] = [];
  let about: string[] = [];
  for (const line of readFileSync(join(root, PAGE), 'utf8').split('\n')) {
    const [, heading] = /^#+ (.*)/.exec(line) ?? [];
    if (heading !== undefined) about = heading.split(/[^\w.]+/);
    if (!line.startsWith('| `')) continue;
    const cells = line
      .replace(/^\| | \|$/g, '')
      .split(/ +\| +/)
      .map((cell) => cell.trim());
    const [message = ''] = cells;
    const text = message.replace(/^`+ ?| ?`+$/g, '').replace(/\\\|/g, '|');
    found.push({text, about, cells});
  }
  return found;
}

/** Collects the messages of all errors and warnings in the sources. */
export function codeMessages(root: string): CodeMessage[] {
  return new Collector(root).collect();
}

class Collector {
  private readonly program: ts.Program;
  private readonly checker: ts.TypeChecker;
  private readonly files: readonly ts.SourceFile[];
  /** The calls of each function. */
  private readonly calls = new Map<ts.Node, ts.CallExpression[]>();
  /** The values that are given to a variable after it is declared. */
  private readonly assignments = new Map<ts.Symbol, ts.Expression[]>();

  constructor(private readonly root: string) {
    const path = join(root, 'tsconfig.json');
    const {config} = ts.readConfigFile(path, (file) =>
      ts.sys.readFile(file),
    ) as {
      config: object;
    };
    const {options, fileNames} = ts.parseJsonConfigFileContent(
      {...config, include: ['src', 'layers']},
      ts.sys,
      root,
    );
    this.program = ts.createProgram(fileNames, options);
    this.checker = this.program.getTypeChecker();
    this.files = this.program
      .getSourceFiles()
      .filter(({fileName}) => /^(src|layers)\//.test(relative(root, fileName)));
  }

  collect(): CodeMessage[] {
    for (const file of this.files) this.eachNode(file, this.index);
    for (const file of this.files) this.eachNode(file, this.indexCallback);
    const found: CodeMessage[] = [];
    for (const file of this.files) {
      this.eachNode(file, (node) => {
        const message = this.messageOf(node);
        if (message === undefined || isInsideSpeaker(node)) return;
        const {line} = file.getLineAndCharacterOfPosition(node.getStart());
        const place = `${relative(this.root, file.fileName)}:${line + 1}`;
        for (const read of this.read(message, 0)) {
          const text = withoutFrame(read);
          if (text !== HOLE && text !== '') found.push({text, place});
        }
      });
    }
    return found;
  }

  private eachNode(node: ts.Node, visit: (node: ts.Node) => void): void {
    visit(node);
    ts.forEachChild(node, (child) => {
      this.eachNode(child, visit);
    });
  }

  private readonly index = (node: ts.Node): void => {
    if (ts.isCallExpression(node)) {
      const callee = this.declarationOf(node);
      if (callee) {
        this.calls.set(callee, [...(this.calls.get(callee) ?? []), node]);
      }
    }
    if (
      ts.isBinaryExpression(node) &&
      node.operatorToken.kind === ts.SyntaxKind.EqualsToken
    ) {
      const symbol = this.checker.getSymbolAtLocation(node.left);
      if (symbol) {
        const known = this.assignments.get(symbol) ?? [];
        this.assignments.set(symbol, [...known, node.right]);
      }
    }
  };

  /** Counts the call of a parameter as a call of the functions given to it. */
  private readonly indexCallback = (node: ts.Node): void => {
    if (!ts.isCallExpression(node)) return;
    const parameter = this.symbolOf(node.expression)?.valueDeclaration;
    if (!parameter || !ts.isParameter(parameter)) return;
    const owner = parameter.parent;
    const place = owner.parameters.indexOf(parameter);
    for (const call of this.calls.get(owner) ?? []) {
      const given = call.arguments[place];
      const value = given && this.symbolOf(given)?.valueDeclaration;
      if (!value || !ts.isVariableDeclaration(value)) continue;
      const {initializer} = value;
      if (!initializer || !ts.isArrowFunction(initializer)) continue;
      const known = this.calls.get(initializer) ?? [];
      this.calls.set(initializer, [...known, node]);
    }
  };

  private declarationOf(
    call: ts.CallExpression,
  ): ts.SignatureDeclaration | undefined {
    const declaration = this.checker.getResolvedSignature(call)?.declaration;
    return declaration && !ts.isJSDocSignature(declaration)
      ? declaration
      : undefined;
  }

  /** The expression of the message, if this node makes or shows one. */
  private messageOf(node: ts.Node): ts.Expression | undefined {
    if (ts.isNewExpression(node)) {
      const isError = node.expression.getText().endsWith('Error');
      return isError ? node.arguments?.[0] : undefined;
    }
    if (!ts.isCallExpression(node)) return undefined;
    const callee = node.expression.getText();
    if (callee === 'console.warn') return node.arguments[0];
    const declaration = this.declarationOf(node);
    const name = declaration && nameOf(declaration);
    const place = name === undefined ? undefined : SPEAKERS[name];
    return place === undefined ? undefined : node.arguments[place];
  }

  /** The texts that an expression may have. */
  private read(node: ts.Expression, depth: number): string[] {
    const texts = depth > DEEPEST ? [HOLE] : this.readOne(node, depth + 1);
    return texts.length > MOST ? [HOLE] : [...new Set(texts)];
  }

  private readOne(node: ts.Expression, depth: number): string[] {
    if (ts.isStringLiteralLike(node)) return [node.text];
    if (ts.isTemplateExpression(node)) {
      return node.templateSpans.reduce(
        (texts, {expression, literal}) =>
          product(texts, this.readPart(expression, depth), [literal.text]),
        [node.head.text],
      );
    }
    if (ts.isConditionalExpression(node)) {
      return [node.whenTrue, node.whenFalse].flatMap((side) =>
        this.read(side, depth),
      );
    }
    if (ts.isBinaryExpression(node)) {
      const kind = node.operatorToken.kind;
      const sides = [node.left, node.right] as const;
      if (kind === ts.SyntaxKind.PlusToken) {
        // A long sum is one message, not a deep one.
        return product(...sides.map((side) => this.read(side, depth - 1)));
      }
      if (kind === ts.SyntaxKind.QuestionQuestionToken) {
        return sides.flatMap((side) => this.read(side, depth));
      }
      return [HOLE];
    }
    if (
      ts.isParenthesizedExpression(node) ||
      ts.isAsExpression(node) ||
      ts.isNonNullExpression(node)
    ) {
      return this.read(node.expression, depth);
    }
    if (ts.isCallExpression(node)) return this.readCall(node, depth);
    if (ts.isElementAccessExpression(node)) {
      return this.readProperties(node.expression, depth);
    }
    if (ts.isIdentifier(node) || ts.isPropertyAccessExpression(node)) {
      return this.readName(node, depth);
    }
    return [HOLE];
  }

  /** A part of a longer message: the sentences it may be, or a hole for single words. */
  private readPart(node: ts.Expression, depth: number): string[] {
    const texts = this.read(node, depth);
    const areSentences =
      texts.length <= MOST_SENTENCES &&
      texts.every((text) => text.length >= SENTENCE);
    return texts.length === 1 || areSentences ? texts : [HOLE];
  }

  private readCall(node: ts.CallExpression, depth: number): string[] {
    const {expression} = node;
    if (
      ts.isPropertyAccessExpression(expression) &&
      expression.name.text === 'replace'
    ) {
      return this.read(expression.expression, depth);
    }
    const callee = this.declarationOf(node);
    const body = callee && 'body' in callee ? callee.body : undefined;
    const isOurs = this.files.some((file) => file === callee?.getSourceFile());
    const isHelper = callee?.getSourceFile().fileName.includes('/src/util/');
    if (!body || !isOurs || isHelper) return [HOLE];
    if (!ts.isBlock(body)) return this.read(body, depth);
    const texts: string[] = [];
    const visit = (inner: ts.Node): void => {
      if (ts.isFunctionLike(inner)) return;
      if (ts.isReturnStatement(inner) && inner.expression) {
        texts.push(...this.read(inner.expression, depth));
      }
      ts.forEachChild(inner, visit);
    };
    ts.forEachChild(body, visit);
    return texts.length > 0 ? texts : [HOLE];
  }

  private readName(node: ts.Expression, depth: number): string[] {
    const symbol = this.symbolOf(node);
    const declaration = symbol?.valueDeclaration;
    if (!symbol || !declaration) return [HOLE];
    if (ts.isParameter(declaration))
      return this.readArgument(declaration, depth);
    const isValue =
      ts.isVariableDeclaration(declaration) ||
      ts.isPropertyAssignment(declaration) ||
      ts.isPropertyDeclaration(declaration);
    if (!isValue) return [HOLE];
    const values = [
      ...(declaration.initializer ? [declaration.initializer] : []),
      ...(this.assignments.get(symbol) ?? []),
    ];
    if (values.length === 0) return [HOLE];
    return values.flatMap((value) => this.read(value, depth));
  }

  private symbolOf(node: ts.Expression): ts.Symbol | undefined {
    const symbol = this.checker.getSymbolAtLocation(node);
    const isAlias = symbol && (symbol.flags & ts.SymbolFlags.Alias) !== 0;
    return isAlias ? this.checker.getAliasedSymbol(symbol) : symbol;
  }

  private readArgument(
    parameter: ts.ParameterDeclaration,
    depth: number,
  ): string[] {
    const owner = parameter.parent;
    const place = owner.parameters.indexOf(parameter);
    const given = (this.calls.get(owner) ?? []).map(
      (call) => call.arguments[place] ?? parameter.initializer,
    );
    if (given.length === 0) return [HOLE];
    return given.flatMap((value) => (value ? this.read(value, depth) : [HOLE]));
  }

  /** `TEXTS[key]`, of an object that has them all. */
  private readProperties(node: ts.Expression, depth: number): string[] {
    const declaration = this.symbolOf(node)?.valueDeclaration;
    const object =
      declaration && ts.isVariableDeclaration(declaration)
        ? declaration.initializer
        : undefined;
    if (!object || !ts.isObjectLiteralExpression(object)) return [HOLE];
    return object.properties.flatMap((property) =>
      ts.isPropertyAssignment(property)
        ? this.read(property.initializer, depth)
        : [HOLE],
    );
  }
}

/** A function's name, after that of its class. */
function nameOf(declaration: ts.SignatureDeclaration): string | undefined {
  const around: ts.Node[] = [];
  for (
    let node = declaration as ts.Node | undefined;
    node && around.length < 3;
    node = node.parent as ts.Node | undefined
  ) {
    around.push(node);
  }
  const named = around.map((node) => (node as {name?: ts.Node}).name);
  const [own, ...outer] = named.filter((name) => name !== undefined);
  const [owner] = around.filter(
    (node) => ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node),
  );
  const isMember = owner !== undefined && outer.length > 0;
  const text = own && ts.isIdentifier(own) ? own.text : undefined;
  return isMember && text !== undefined
    ? `${owner.name?.text ?? ''}.${text}`
    : text;
}

/** What a speaker says is what it is given. */
function isInsideSpeaker(node: ts.Node): boolean {
  for (
    let each = node.parent as ts.Node | undefined;
    each;
    each = each.parent
  ) {
    if (ts.isFunctionDeclaration(each) || ts.isMethodDeclaration(each)) {
      const name = nameOf(each) ?? '';
      if (name in SPEAKERS || name === 'Notes.warn') return true;
    }
  }
  return false;
}

/** Takes away who says it, what was received, and the last full stop. */
function withoutFrame(text: string): string {
  return text
    .replace(/…(?:\s*…)+/g, HOLE)
    .replace(/\s+/g, ' ')
    .replace(/ ?Received: .*$/, '')
    .replace(/\. …( and .*)?$/, '')
    .replace(/^(?:…|[A-Za-z.]+(?: …)?): /, '')
    .trim()
    .replace(/\.$/, '');
}

function product(...parts: ReadonlyArray<readonly string[]>): string[] {
  return parts.reduce<string[]>(
    (texts, part) => texts.flatMap((text) => part.map((more) => text + more)),
    [''],
  );
}
