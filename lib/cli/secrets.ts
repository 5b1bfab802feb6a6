import { usualRedactor } from '../events/redactor.js';

/** Shorter ones are words that may stand anywhere: they are taken out within URLs only. */
const shortestSecret = 4;

/** A password that nobody has encoded may hold anything: all up to the last `@` is of the user. */
const login = /^([a-z][\w+.-]*:\/\/[^:]*):.*@/is;
/** Of a URL that was cut before its `@`, as at a comma: what is no port is a password. */
const cutLogin = /^([a-z][\w+.-]*:\/\/[^:@/?#[]*):(?!\d{1,5}(?:[/?#]|$))[^@]*$/is;
const parameter = /([?&](?:password|sslpassword|pass)=)([^&]*)/gi;

/** In words, as `host=h password=x` and `Server=h;Password=x`: the name, and the value, in quotes or to the next name. */
const word =
  /(?<![\w?&])(\w*(?:password|passwd|passphrase|pwd|pass|secret)\s*=\s*)('(?:\\.|''|[^'\\])*'|"(?:\\.|""|[^"\\])*"|.*?)(?=\s*(?:[;,]|\s[\w ]+=|$))/gis;

/** A URL without its password. Text that is no URL loses what stands before an `@`, and the passwords of a connection string in words. */
export function withoutPassword(url: string): string {
  if (!url.includes('://')) return url.replace(word, '$1***').replace(/^.*@/s, '***@');
  return url.replace(parameter, '$1***').replace(login, '$1:***@').replace(cutLogin, '$1:***');
}

/** What was given, and each `NAME=URL` of a list, without the name; a comma may be one of a password. */
export function urlsIn(given: string | undefined): string[] {
  if (given === undefined) return [];
  return [given, ...[given, ...given.split(',')].map((each) => each.trim().replace(/^[^=:/]+=/, ''))];
}

/** The passwords that this process was given. */
export function passwordsIn(
  texts: readonly (string | undefined)[],
  plain: readonly (string | undefined)[],
): string[] {
  const found = new Set<string>();
  for (const text of texts) {
    if (text === undefined) continue;
    // The second is another one where there is an @ behind the host.
    for (const url of [text, text.replace(/^([^/]*:\/\/[^/?#]*)[/?#].*$/s, '$1')])
      found.add(/^[a-z][\w+.-]*:\/\/[^:]*:(.*)@/is.exec(url)?.[1] ?? '');
    for (const [, , password] of text.matchAll(parameter)) found.add(password!);
    if (!/^\s*\w[\w ]*=/.test(text)) continue;
    for (const [, , password] of text.matchAll(word))
      for (const each of [password!, password!.replace(/^(['"])(.*)\1$/s, '$2')]) found.add(each);
  }
  for (const text of plain) found.add(text ?? '');
  const all = [...found].filter((password) => password !== '').flatMap(formsOf);
  return [...new Set(all)].toSorted((one, other) => other.length - one.length);
}

/** What an error of JSON quotes may be the middle of a secret. */
const quotedJson = /(Unexpected token '[^]{1,2}'), (?:\.\.\.)?"[^]{0,80}?"(?:\.\.\.)? (?=is not valid JSON)/g;

/** Takes passwords out of what is written, wherever that comes from. */
export interface Scrubber {
  /** Of what is told: wherever they stand. */
  told: (text: string) => string;
  /** Of text that is a result as it is, such as a script: within URLs alone, as a password may be a word that the result has for itself. */
  result: (text: string) => string;
  /** Of a line of a result: also those that this process was not given. */
  line: (text: string) => string;
  /** Of data of a result as JSON: also by the names of keys. */
  json: (data: unknown, indent?: number) => string;
}

export function scrubber(passwords: readonly string[]): Scrubber {
  const whole = passwords.filter((password) => password.length >= shortestSecret);
  const result = (text: string): string => {
    let clean = text;
    for (const password of passwords) {
      clean = clean.replaceAll(`:${password}@`, ':***@');
      for (const name of ['password=', 'pass=']) clean = clean.replaceAll(name + password, `${name}***`);
    }
    return clean;
  };
  return {
    result,
    line: (text) => usualRedactor.text(result(text), 'log'),
    json: (data, indent) => result(JSON.stringify(usualRedactor.value(data, 'log'), null, indent)),
    told: (text) => {
      let clean = result(text);
      for (const password of whole) clean = clean.replaceAll(password, '***');
      // Those that this process was not given: of an application, of a server.
      return usualRedactor.text(clean.replace(quotedJson, '$1 '), 'log');
    },
  };
}

/** As it was given, as it is meant, and both as they stand in URLs and in JSON. */
function formsOf(given: string): string[] {
  return [given, decoded(given)].flatMap((text) => [text, encoded(text), JSON.stringify(text).slice(1, -1)]);
}

function encoded(text: string): string {
  return converted(text, encodeURIComponent);
}

function decoded(text: string): string {
  return converted(text, decodeURIComponent);
}

/** What cannot be converted is as it was. */
function converted(text: string, convert: (text: string) => string): string {
  try {
    return convert(text);
  } catch {
    return text;
  }
}
