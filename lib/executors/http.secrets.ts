/** `${env:NAME}` in a text of a task. */
const reference = /\$\{env:([^}]*)\}/g;
const name = /^[A-Za-z_][A-Za-z0-9_]*$/;
const hidden = '***';
/** What text that is written as HTML has: a character that is escaped. */
const entity = /&(?:#|[a-z])/i;
/** What is shorter would be found everywhere, and what stands in its place would tell it. */
export const shortestSecret = 6;
/** Letters, and less than twice as many in the last piece. */
const pieceLength = 200;

/** Which variables tasks may refer to, and the hosts that get them; null: any host that may be called. */
export type SecretNames = ReadonlyMap<string, ((host: string) => boolean) | null>;

/** What has to be looked for in a text costs time, so only what may be there is. */
interface TextKind {
  isHtml: boolean;
  isWrapped: boolean;
}

const plainText: TextKind = { isHtml: false, isWrapped: false };
/** A line break, also as JSON has it. */
const wrapping = /\n|\\n/;

function kindOf(text: string): TextKind {
  return { isHtml: entity.test(text), isWrapped: wrapping.test(text) };
}

/** The names that the texts within a value refer to. */
export function referencesIn(value: unknown): string[] {
  if (typeof value === 'string') return [...value.matchAll(reference)].map(([, found]) => found!);
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(referencesIn) : [];
}

export function isSecretName(text: string): boolean {
  return name.test(text);
}

/** The secrets of one call: puts them in, and takes them out of whatever may be kept. */
export class Secrets {
  /** All ways in which those that were put in are found. */
  private readonly forms = new Map<string, RegExp>();
  /** The same with those of HTML, or in wrapped lines, as far as any text had some. */
  private readonly inOthers = new Map<string, RegExp>();
  /** The same by their names. */
  private readonly formsOf = new Map<string, readonly string[]>();

  /** `lookUp` throws where there is no such secret. */
  constructor(private readonly lookUp: (name: string) => string) {}

  /** The value with what its texts refer to. */
  resolve<T>(value: T): T {
    if (typeof value === 'string') {
      return value.replaceAll(reference, (_, found: string) => this.take(found)) as T & string;
    }
    return mapped(value, (text) => this.resolve(text), false);
  }

  /** The text without any secret that was put in, however it is written. */
  scrub(text: string): string {
    let clean = text;
    const kind = kindOf(text);
    for (const form of [...this.forms.keys()].sort((a, b) => b.length - a.length)) {
      clean = clean.replaceAll(this.found(form, kind), hidden);
    }
    return clean;
  }

  /** Those that were put in and stand in the text, however they are written. */
  namesIn(text: string): string[] {
    const kind = kindOf(text);
    const isThere = (form: string): boolean => text.search(this.found(form, kind)) >= 0;
    return [...this.formsOf].filter(([, forms]) => forms.some(isThere)).map(([found]) => found);
  }

  /** `scrub` for all texts within a value, and the names in it. */
  scrubAll<T>(value: T): T {
    if (typeof value === 'string') return this.scrub(value) as T & string;
    return mapped(value, (text) => this.scrub(text), true);
  }

  private found(form: string, kind: TextKind): RegExp {
    if (!kind.isHtml && !kind.isWrapped) return this.forms.get(form)!;
    const key = `${kind.isHtml} ${kind.isWrapped} ${form}`;
    const known = this.inOthers.get(key) ?? written(form, kind);
    this.inOthers.set(key, known);
    return known;
  }

  private take(found: string): string {
    const secret = this.lookUp(found);
    // Of 'Bearer x' and 'Basic x' it is x that is echoed alone.
    const last = /^[A-Za-z]+ +(\S+)$/.exec(secret)?.[1];
    const whole = last !== undefined && last.length >= shortestSecret ? [secret, last] : [secret];
    const forms = [...new Set(whole.flatMap((text) => [text, ...encodings(text)]).flatMap(pieces))];
    for (const form of forms) if (!this.forms.has(form)) this.forms.set(form, written(form, plainText));
    this.formsOf.set(found, forms);
    return secret;
  }
}

/** The text in hexadecimal and in Base64, by itself and within a longer text. */
function encodings(text: string): string[] {
  const bytes = Buffer.from(text);
  const alone = [bytes.toString('hex'), bytes.toString('base64'), bytes.toString('base64url')];
  return [...alone, ...innerBase64(bytes)];
}

/** What stands in the Base64 of any text that has these bytes: what surrounds them shares the letters at the begin and at the end. */
function innerBase64(bytes: Buffer): string[] {
  return [0, 1, 2].flatMap((before) => {
    const padded = Buffer.concat([Buffer.alloc(before), bytes]);
    // Three bytes are four letters, of six bits each.
    const [begin, end] = [Math.ceil((before * 8) / 6), Math.floor((padded.length * 8) / 6)];
    return (['base64', 'base64url'] as const)
      .map((encoding) => padded.toString(encoding).slice(begin, end))
      .filter(({ length }) => length >= shortestSecret);
  });
}

/** One expression for all of a long text would be larger than expressions may be. */
function pieces(text: string): string[] {
  const letters = Array.from(text);
  const count = Math.max(1, Math.floor(letters.length / pieceLength));
  return Array.from({ length: count }, (_, nth) =>
    letters.slice(nth * pieceLength, nth === count - 1 ? undefined : (nth + 1) * pieceLength).join(''),
  );
}

/** The text as it is, in upper or lower case, in a URL, in a URL within a URL, in JSON, in JSON that is text of JSON, and in HTML, also in HTML that is text of HTML. */
function written(text: string, { isHtml, isWrapped }: TextKind): RegExp {
  const letters = Array.from(text, (letter) => {
    const plain = letter.replaceAll(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
    const units = letter.split('').map((unit) => unit.charCodeAt(0).toString(16).padStart(4, '0'));
    // Each further encoding puts 25 behind the percent sign.
    const bytes = [...Buffer.from(letter)]
      .map((byte) => `%(?:25){0,3}${anyCase(byte.toString(16).padStart(2, '0'))}`)
      .join('');
    const escaped = units.map((unit) => `\\\\{1,7}u${anyCase(unit)}`).join('');
    const space = letter === ' ' ? '|\\+|%(?:25){0,2}2[bB]' : '';
    const named = shortEscapes[letter];
    const code = letter.codePointAt(0)!;
    const names = [
      `#0{0,5}${code}`,
      `#[xX]0{0,5}${anyCase(code.toString(16))}`,
      ...(htmlNames[letter] ?? []),
    ];
    const html = isHtml ? `|&(?:amp;){0,3}(?:${names.join('|')});` : '';
    const inLatin = code > 0x7f && code <= 0xff ? `|%(?:25){0,3}${anyCase(code.toString(16))}` : '';
    return `(?:\\\\{0,7}${plain}|${escaped}|${bytes}${inLatin}${space}${named ? `|\\\\{1,7}${named}` : ''}${html})`;
  });
  // Some servers give back what they got in upper case.
  return new RegExp(letters.join(isWrapped ? lineBreak : ''), 'gi');
}

/** Between any two letters: what wraps lines does so anywhere, and JSON has it as an escape. */
const lineBreak = '(?:\\r?\\n|\\\\{1,7}r\\\\{1,7}n|\\\\{1,7}n)?';

const htmlNames: Readonly<Record<string, readonly string[]>> = {
  '&': ['amp', 'AMP'],
  '<': ['lt', 'LT'],
  '>': ['gt', 'GT'],
  '"': ['quot', 'QUOT'],
  "'": ['apos'],
};

const shortEscapes: Readonly<Record<string, string>> = {
  '\n': 'n',
  '\r': 'r',
  '\t': 't',
  '\b': 'b',
  '\f': 'f',
};

function anyCase(hex: string): string {
  return hex.replaceAll(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`);
}

function mapped<T>(value: T, change: (text: string) => string, isKeyToo: boolean): T {
  const each = (inner: unknown): unknown => {
    if (typeof inner === 'string') return change(inner);
    if (Array.isArray(inner)) return inner.map(each);
    if (typeof inner !== 'object' || inner === null) return inner;
    const entries = Object.entries(inner).map(([key, item]) => [isKeyToo ? change(key) : key, each(item)]);
    return Object.fromEntries(entries) as unknown;
  };
  return each(value) as T;
}
