import katex from 'katex';
import {Comment, CommentTag, Converter, JSX, ReflectionKind} from 'typedoc';

/*
 * What the pages have beside the docstrings: formulas that are typeset, tables of options
 * and weights, and the messages of each class and function.
 */

/** The folder of a source, and the heading its exports come under. */
const CATEGORIES = [
  [/^layers\//, 'Layers'],
  [/^src\/batch_norm_dense/, 'Layers'],
  [/^src\/ops\//, 'Functions on tensors'],
  [/^src\/(models|statistics|register|patch)/, 'Whole models'],
  [/^src\/(node|keras|container)/, 'Files'],
];
const TYPES = 'Types';

/** The lights of FEATURES.md, with what they say. */
const LIGHTS = {
  '🟢': 'works',
  '🟡': 'in part',
  '🔴': 'fails',
  '⚪': 'not there',
};

/** Sorts exports into categories, and names modules as they are imported. */
export function arrange(app, {root, name, entries}) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({project}) => {
    const modules = new Map(entries.map(({file, key}) => [file, key]));
    for (const module of modulesOf(project)) {
      const file = sourceOf(project, module, root);
      if (modules.has(file)) {
        module.name = name + modules.get(file).replace('.', '');
      }
    }
    for (const guide of project.documents ?? []) nameGuide(guide);
    for (const owner of ownersOf(project)) {
      const file = sourceOf(project, owner, root);
      const [, folder = TYPES] =
        CATEGORIES.find(([pattern]) => pattern.test(file)) ?? [];
      const isType = owner.kindOf(ReflectionKind.SomeType);
      const isOptions = /(Args|Options)$/.test(owner.name);
      const isClass = owner.kindOf(ReflectionKind.Class);
      const category = isType && !isClass && !isOptions ? TYPES : folder;
      for (const {comment} of owner.signatures ?? [owner]) {
        comment?.blockTags.push(
          new CommentTag('@category', [{kind: 'text', text: category}]),
        );
      }
    }
  });
  app.internationalization.addTranslations('en', {
    tag_errorsAndWarnings: 'Errors and warnings',
  });
  app.renderer.hooks.on('head.end', (context) =>
    JSX.createElement('link', {
      rel: 'stylesheet',
      href: context.relativeURL('assets/katex/katex.min.css'),
    }),
  );
}

/**
 * Adds the tables, and has formulas typeset.
 *
 * @param facts What layers.ts, formula.ts and messages.ts export.
 * @returns A function that finishes a page.
 */
export async function decorate(app, project, facts) {
  const troubles = facts.documentedMessages(facts.root);
  const page = project.documents.find(({name}) => name === 'Troubleshooting');
  for (const owner of ownersOf(project)) {
    await addTables(owner, facts);
    addMessages(owner, troubles, page);
  }
  const formulas = [];
  for (const reflection of Object.values(project.reflections)) {
    const fail = (what) =>
      app.logger.error(`${reflection.getFriendlyFullName()}: ${what}`);
    for (const parts of partsOf(reflection)) {
      typeset(parts, facts, formulas, fail);
    }
    checkPapers(reflection.comment, fail);
  }
  return (page) => {
    page.contents = page.contents
      ?.replace(
        /<span data-formula="(\d+)"><\/span>/g,
        (_, i) => formulas[Number(i)],
      )
      // To the front page, also where pages are files and not served.
      .replace(/href="((?:\.\.\/)+)(#[^"]*)?"/g, 'href="$1index.html$2"')
      // A reader of the site knows the documents by their titles.
      .replace(
        /(href="[^"#]*?([^"#/]+)\.html(?:#[^"]*)?">)[^<]*\.md<\/a>/g,
        (_, link, title) => `${link}${decodeURI(title).replace(/_/g, ' ')}</a>`,
      )
      .replace(
        /<table>(?=\s*<thead>\s*<tr>\s*<th>(Message|Option)\b)/g,
        (_, first) => `<table class="cards of-${first.toLowerCase()}s">`,
      )
      .replace(/<td>.*?<\/td>/gs, withBreaks)
      .replace(/[🟢🟡🔴⚪]/gu, drawnLight);
  };
}

function modulesOf(project) {
  return (project.children ?? []).filter(({kind}) =>
    [ReflectionKind.Module, ReflectionKind.Namespace].includes(kind),
  );
}

/** The classes, functions and types that are exported, also from namespaces. */
function ownersOf(project) {
  const within = (parent) =>
    (parent.children ?? []).flatMap((child) =>
      child.kind === ReflectionKind.Namespace ? within(child) : [child],
    );
  return modulesOf(project)
    .flatMap(within)
    .filter(({kind}) => kind !== ReflectionKind.Reference);
}

/** Names a document after its first heading, as its readers do. */
function nameGuide(guide) {
  const [, title] =
    /^# (.+)$/m.exec(Comment.combineDisplayParts(guide.content)) ?? [];
  if (title) guide.name = title.replace(/`/g, '');
}

function sourceOf(project, reflection, root) {
  const {fileName = ''} = project.getSymbolIdFromReflection(reflection) ?? {};
  return String(fileName).replace(`${root}/`, '');
}

/** The signatures whose parameters are those of a class or a function. */
function signaturesOf(owner) {
  const constructor = owner.children?.find(
    ({kind}) => kind === ReflectionKind.Constructor,
  );
  return (constructor ?? owner).signatures ?? [];
}

/** The parameter with the options, its place, and their type. */
function optionsOf(owner) {
  for (const {parameters = []} of signaturesOf(owner)) {
    for (const [place, {type}] of parameters.entries()) {
      const types = type?.type === 'union' ? type.types : [type];
      const target = types
        .map((each) => each?.reflection)
        .find((each) => /(Args|Options)$/.test(each?.name ?? ''));
      if (target) return {place, target};
    }
  }
  return undefined;
}

async function addTables(owner, facts) {
  const comment = owner.comment ?? owner.signatures?.[0]?.comment;
  const options = optionsOf(owner);
  if (comment === undefined || options === undefined) return;
  const layer = layerOf(owner, facts);
  const tags = [await optionsTable(owner, options, layer, facts)];
  if (layer !== undefined) tags.push(weightsTable(layer, facts));
  comment.blockTags.unshift(...tags);
}

/** The class of a layer, or the class that a function makes. */
function layerOf(owner, {descriptions}) {
  const [{type} = {}] = owner.signatures ?? [];
  const name = type?.reflection?.name ?? type?.name ?? owner.name;
  return descriptions().has(name) ? name : undefined;
}

async function optionsTable(owner, {place, target}, layer, facts) {
  const exported = layer ?? `${isOp(owner) ? 'ops.' : ''}${owner.name}`;
  const defaults = layer === undefined ? {} : facts.layerDefaults(layer);
  const rows = [];
  const order = Object.keys(defaults);
  const properties = [...(target.children ?? [])].sort(
    (a, b) =>
      order.indexOf(a.name) - order.indexOf(b.name) ||
      Number(a.id) - Number(b.id),
  );
  for (const property of properties) {
    const {name} = property;
    const {meaning, otherwise} = facts.splitDefault(
      Comment.combineDisplayParts(property.comment?.summary),
    );
    const type = String(property.type)
      .replace(/^undefined \| /, '')
      .replace(/</g, '&lt;');
    const stated = defaults[name] ?? undefined;
    const range = await facts.rangeOf(exported, name, layer ? 0 : place);
    rows.push([
      `${code(name)}<br>${type}`,
      stated === undefined
        ? (otherwise ?? (property.flags.isOptional ? 'none' : 'required'))
        : code(facts.literal(stated)),
      range ?? '',
      meaning,
    ]);
  }
  return tableTag(
    '@options',
    ['Option and type', 'Default', 'Range', 'Meaning'],
    rows,
    [
      {kind: 'text', text: 'The fields of '},
      {kind: 'inline-tag', tag: '@link', text: target.name, target},
      {
        kind: 'text',
        text: layer ? ', beside those of every layer of tf.js.' : '.',
      },
    ],
  );
}

function weightsTable(layer, facts) {
  const rows = facts
    .layerWeights(layer)
    .map(({name, shape, dtype, initializer, trains, when}) => [
      code(name),
      code(`[${shape.join(', ')}]`),
      dtype,
      initializer === undefined ? '' : code(`'${initializer}'`),
      trains ? 'yes' : 'no',
      when === undefined ? 'always' : code(when),
    ]);
  const shape = facts.SAMPLE_SHAPE.map((length) => length ?? 'batch');
  return rows.length === 0
    ? new CommentTag('@weights', [{kind: 'text', text: 'None.'}])
    : tableTag(
        '@weights',
        ['Weight', 'Shape', 'Type', 'Starts as', 'Trains', 'There with'],
        rows,
        [
          {
            kind: 'text',
            text: `In their order, for an input of shape [${shape.join(', ')}].`,
          },
        ],
      );
}

/** The messages that docs/troubleshooting.md has under the name of an export. */
function addMessages(owner, troubles, page) {
  const comment = owner.comment ?? owner.signatures?.[0]?.comment;
  if (comment === undefined || !speaks(owner)) return;
  const name = `${isOp(owner) ? 'ops.' : ''}${owner.name}`;
  const rows = troubles
    .filter(({about}) => about.some((word) => isSame(word, name)))
    .map(({cells}) => cells);
  const intro = [
    {kind: 'text', text: rows.length > 0 ? 'Beside these, see ' : 'See '},
    {kind: 'inline-tag', tag: '@link', text: page.name, target: page},
    {kind: 'text', text: ' for those of options, inputs and models.'},
  ];
  const head = ['Message', 'Cause', 'Cure'];
  const tag =
    rows.length > 0
      ? tableTag('@errorsAndWarnings', head, rows, intro)
      : new CommentTag('@errorsAndWarnings', intro);
  const see = comment.blockTags.findIndex((each) => each.tag === '@see');
  comment.blockTags.splice(see < 0 ? comment.blockTags.length : see, 0, tag);
}

/** Tells if it has messages: if it is a class, or a function that may refuse. */
function speaks(owner) {
  const {comment} = owner.signatures?.[0] ?? owner;
  return (
    owner.kind === ReflectionKind.Class ||
    optionsOf(owner) !== undefined ||
    comment?.getTag('@throws') !== undefined
  );
}

function isOp(owner) {
  return owner.parent?.name === 'ops';
}

/** The function that makes a layer has its name, with a small first letter. */
function isSame(word, name) {
  return word.toLowerCase() === name.toLowerCase();
}

function tableTag(name, head, rows, before = []) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const text = [
    line(head),
    line(head.map(() => '---')),
    ...rows.map((row) => line(row.map(inCell))),
  ].join('\n');
  const table = {kind: 'text', text: `\n\n${text}\n`};
  return new CommentTag(name, [...before, table]);
}

function code(text) {
  return `\`${text}\``;
}

function inCell(text) {
  return text.replace(/\s+/g, ' ').replace(/(?<!\\)\|/g, '\\|');
}

/** The texts of a reflection, each in parts of text and code. */
function partsOf(reflection) {
  const {comment, content, readme} = reflection;
  const tags = comment?.blockTags.map((tag) => tag.content) ?? [];
  return [comment?.summary, content, readme, ...tags].filter(Boolean);
}

/** Puts a placeholder for each formula, since Markdown would garble it. */
function typeset(parts, {isFormula, texOf}, formulas, fail) {
  for (const [i, part] of parts.entries()) {
    const [, formula] = /^`([^`]+)`$/.exec(part.text) ?? [];
    if (part.kind !== 'code' || formula === undefined) continue;
    const displayMode =
      / = /.test(formula) && isAlone(parts[i - 1], parts[i + 1]);
    if (!displayMode && !isFormula(formula)) continue;
    const tex = texOf(formula);
    if (tex === undefined) {
      fail(`not a formula: ${formula}`);
      continue;
    }
    parts[i] = {
      kind: 'text',
      text: `<span data-formula="${formulas.length}"></span>`,
    };
    formulas.push(katex.renderToString(tex, {displayMode}));
  }
}

/** Lets long code in a cell go over two lines between its names. */
function withBreaks(cell) {
  return cell.replace(/<code>.*?<\/code>/gs, (code) =>
    code.replace(/(?<=[a-z])([._]|\(\{?)(?=[a-z])/gi, '$&<wbr>'),
  );
}

/** Draws a light, which does not depend on the fonts of a reader. */
function drawnLight(light) {
  const {[light]: says} = LIGHTS;
  const name = says.replace(' ', '-');
  return `<span class="light ${name}" role="img" aria-label="${says}"></span>`;
}

/** Tells if code is a paragraph by itself. */
function isAlone(before, after) {
  return (
    /(^|\n[ \t]*\n[ \t]*)$/.test(before?.text ?? '') &&
    /^([.,]?[ \t]*\n[ \t]*\n|$)/.test(after?.text ?? '')
  );
}

/** A paper after another block tag would be taken for a part of it. */
function checkPapers(comment, fail) {
  for (const {tag, content} of comment?.blockTags ?? []) {
    const text = Comment.combineDisplayParts(content);
    if (tag === '@throws' && /https?:/.test(text)) {
      fail('a reference to a paper must begin with @see');
    }
  }
}
