/*
 * Formulas stand in docstrings as plain text, so that an editor shows them well:
 * `y = (x − mean) / sqrt(variance + epsilon) · gamma`. The site typesets them.
 */

const TOKENS =
  /\s*(?:(\d+(?:\.\d+)?)(?:e(-?\d+))?|([A-Za-z_]+|[α-ω])(\u0302)?|(.))/gu;

const GREEK: Readonly<Record<string, string>> = {
  gamma: '\\gamma',
  beta: '\\beta',
  epsilon: '\\varepsilon',
  σ: '\\sigma',
  φ: '\\varphi',
};

const LETTERS_AT_MOST = 3;

/** Text between code marks that is a formula, and not code. */
const MATHEMATICAL = /[−·√Σσφ²ᵀ½]|sqrt\(| = .* \/ /u;

interface Token {
  readonly kind: 'number' | 'name' | 'sign' | 'end';
  readonly text: string;
  readonly tex: string;
}

/** A part of a formula, which knows if it stands in parentheses of its own. */
interface Term {
  readonly tex: string;
  readonly inside?: string;
}

/** Tells if a code span of a docstring or a document is meant as a formula. */
export function isFormula(text: string): boolean {
  return MATHEMATICAL.test(text) && texOf(text) !== undefined;
}

/** The TeX of a formula in plain text; undefined if it is none. */
export function texOf(formula: string): string | undefined {
  try {
    return new Parser(tokensOf(formula)).formula();
  } catch (error) {
    if (error instanceof NoFormula) return undefined;
    throw error;
  }
}

class NoFormula extends Error {}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  for (const [, digits, power, name, hat, sign = ''] of text.matchAll(TOKENS)) {
    if (digits !== undefined) {
      const tex =
        power === undefined
          ? digits
          : `${digits === '1' ? '' : `${digits}\\cdot `}10^{${power}}`;
      tokens.push({kind: 'number', text: digits, tex});
    } else if (name !== undefined) {
      const tex = texOfName(name);
      tokens.push({
        kind: 'name',
        text: name,
        tex: hat === undefined ? tex : `\\hat{${tex}}`,
      });
    } else if (sign.trim() !== '') {
      tokens.push({kind: 'sign', text: sign, tex: sign});
    }
  }
  return tokens;
}

function texOfName(name: string): string {
  const {[name]: greek} = GREEK;
  if (greek !== undefined) return greek;
  const isProduct =
    name.length === 1 ||
    (name.length <= LETTERS_AT_MOST && /^(?=.*[a-z]).*[A-Z]/.test(name)) ||
    /^[A-Z][a-z]$/.test(name);
  if (isProduct) return name;
  return `\\mathrm{${name.replace(/_/g, '\\_')}}`;
}

const END: Token = {kind: 'end', text: '', tex: ''};

/** Reads `a = b, c = d`, with sums, products, quotients, roots and calls. */
class Parser {
  private place = 0;

  constructor(private readonly tokens: readonly Token[]) {}

  formula(): string {
    const tex = this.list(['=']);
    if (this.next !== END) throw new NoFormula();
    return tex;
  }

  private get next(): Token {
    return this.tokens[this.place] ?? END;
  }

  private take(...texts: string[]): boolean {
    const {kind, text} = this.next;
    const isTaken = kind === 'sign' && texts.includes(text);
    if (isTaken) this.place += 1;
    return isTaken;
  }

  private need(text: string): void {
    if (!this.take(text)) throw new NoFormula();
  }

  private list(signs: readonly string[]): string {
    const parts = [this.equation(signs)];
    while (this.take(',')) parts.push(this.equation(signs));
    return parts.join(',\\ ');
  }

  private equation(signs: readonly string[]): string {
    const sides = [this.sum()];
    while (this.take(...signs)) sides.push(this.sum());
    return sides.join(' = ');
  }

  private sum(): string {
    let tex = this.take('−', '-') ? '-' : '';
    tex += this.product().tex;
    for (;;) {
      if (this.take('+')) tex += ` + ${this.product().tex}`;
      else if (this.take('−', '-')) tex += ` - ${this.product().tex}`;
      else return tex;
    }
  }

  private product(): Term {
    let left = this.factors();
    for (;;) {
      if (this.take('·')) {
        left = {tex: `${left.tex} \\cdot ${this.factors().tex}`};
      } else if (this.take('/')) {
        const right = this.factors();
        const over = left.inside ?? left.tex;
        left = {tex: `\\frac{${over}}{${right.inside ?? right.tex}}`};
      } else return left;
    }
  }

  /** Factors with nothing between them, as in vW, and names of two words. */
  private factors(): Term {
    let term = this.factor();
    while (this.startsFactor()) {
      term = {tex: `${term.tex}\\ ${this.factor().tex}`};
    }
    return term;
  }

  private startsFactor(): boolean {
    const {kind, text} = this.next;
    return kind === 'name' || (kind === 'sign' && '√Σ'.includes(text));
  }

  private factor(): Term {
    const base = this.base();
    let powers = '';
    while (this.next.kind === 'sign') {
      if (this.take('²')) powers += '2';
      else if (this.take('ᵀ')) powers += '\\mathsf{T}';
      else if (this.take("'")) powers += '\\prime';
      else break;
    }
    return powers === '' ? base : {tex: `${base.tex}^{${powers}}`};
  }

  private base(): Term {
    const token = this.next;
    if (token.kind === 'end') throw new NoFormula();
    this.place += 1;
    if (token.kind === 'number') return {tex: token.tex};
    if (token.kind === 'name') return this.afterName(token);
    if (token.text === '√') {
      const {tex, inside = tex} = this.base();
      return {tex: `\\sqrt{${inside}}`};
    }
    if (token.text === 'Σ') return {tex: '\\sum'};
    if (token.text === '½') return {tex: '\\tfrac{1}{2}'};
    if (token.text === '(') {
      const inside = this.sum();
      this.need(')');
      return {tex: `\\left(${inside}\\right)`, inside};
    }
    if (token.text === '|') {
      const inside = this.sum();
      this.need('|');
      return {tex: `\\left|${inside}\\right|`};
    }
    throw new NoFormula();
  }

  private afterName({text, tex}: Token): Term {
    if (!this.take('(')) return {tex};
    const inside = this.list([]);
    this.need(')');
    if (text === 'sqrt') return {tex: `\\sqrt{${inside}}`};
    const name = text === 'max' ? '\\max' : tex;
    return {tex: `${name}\\left(${inside}\\right)`};
  }
}
