/** As fast-xml-parser gives one with `preserveOrder`: its name, or `#text`, with what is in it, and `:@` with its attributes. */
export type XmlElement = Record<string, any>;

const header = '<?xml version="1.0" encoding="UTF-8"?>\n';
const root = 'chronis';
const elementName = /^[A-Za-z_][\w-]*$/;
/** Names that fast-xml-parser does not read, as they mean something to objects of JavaScript. */
const refused = { prototype: null };
/** What is deeper is written as JSON, as parsers have a limit. */
const deepestIndent = 100;
/** What XML cannot have, or does not keep: control characters, carriage returns, halves of pairs. */
const unfit = /[^\t\n\u0020-\ud7ff\ue000-\ufffd]/;
const pairs = /[\ud800-\udbff][\udc00-\udfff]/g;
const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};
const characters = new Map(Object.entries(entities).map(([character, entity]) => [entity, character]));

/** A document whose elements are fields; what is no text says what it is. */
export function toXml(document: object): string {
  return `${header}${element(root, document, '')}\n`;
}

/** Throws RangeError for what `toXml` has not written. */
export function fromXml(nodes: readonly XmlElement[]): unknown {
  const found = nodes.find((node) => root in node);
  if (found === undefined) throw new RangeError(`has no element <${root}>`);
  return valueOf(found, root);
}

function element(name: string, value: unknown, indent: string): string {
  const isName = elementName.test(name) && !(name in refused);
  const tag = isName ? name : 'field';
  const attributes = isName ? '' : ` name="${escaped(JSON.stringify(name))}"`;
  const open = (type: string): string =>
    `${indent}<${tag}${attributes}${type === '' ? '' : ` type="${type}"`}>`;
  const close = `</${tag}>`;
  if (indent.length > deepestIndent) return `${open('json')}${escaped(ascii(value))}${close}`;
  if (Array.isArray(value))
    return nested(
      open('list'),
      value.map((each) => element('item', each, `${indent}  `)),
      indent,
      close,
    );
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).map(([field, each]) => element(field, each, `${indent}  `));
    return nested(open('object'), fields, indent, close);
  }
  if (typeof value === 'string') {
    const isFit = !unfit.test(value.replace(pairs, ''));
    return `${open(isFit ? '' : 'json')}${escaped(isFit ? value : ascii(value))}${close}`;
  }
  return `${open('json')}${JSON.stringify(value)}${close}`;
}

function nested(open: string, inner: readonly string[], indent: string, close: string): string {
  return inner.length === 0 ? `${open}${close}` : `${open}\n${inner.join('\n')}\n${indent}${close}`;
}

function valueOf(node: XmlElement, tag: string): unknown {
  const inner = node[tag] as XmlElement[];
  const { type } = (node[':@'] ?? {}) as { type?: string };
  if (type === 'list') return elementsIn(inner).map(({ element: each, tag: of }) => valueOf(each, of));
  if (type === 'object') {
    const fields = elementsIn(inner).map(({ element: each, tag: of }) => [
      nameOf(each, of),
      valueOf(each, of),
    ]);
    return Object.fromEntries(fields) as unknown;
  }
  const text = unescaped(inner.map((each) => String(each['#text'] ?? '')).join(''));
  if (type === undefined) return text;
  if (type === 'json') return JSON.parse(text) as unknown;
  throw new RangeError(`has an element <${tag}> of the type "${type}"`);
}

/** Without the space between them. */
function elementsIn(nodes: readonly XmlElement[]): { element: XmlElement; tag: string }[] {
  return nodes.flatMap((element) => {
    const tag = Object.keys(element).find((key) => key !== ':@' && key !== '#text');
    return tag === undefined ? [] : [{ element, tag }];
  });
}

function nameOf(node: XmlElement, tag: string): string {
  const { name } = (node[':@'] ?? {}) as { name?: string };
  return tag === 'field' && name !== undefined ? (JSON.parse(unescaped(name)) as string) : tag;
}

function ascii(value: unknown): string {
  const code = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(value).replace(/[^\n\u0020-\u007e]/g, code);
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character]);
}

function unescaped(text: string): string {
  return text.replace(/&\w+;/g, (entity) => {
    const character = characters.get(entity);
    if (character === undefined) throw new RangeError(`has the entity ${entity}, which is not read`);
    return character;
  });
}
