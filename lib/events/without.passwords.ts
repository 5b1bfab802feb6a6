/** As many letters of a login are looked at: what nobody has cut keeps to that, and no text takes long. */
const login =
  /([a-z][a-z\d+.-]{0,30}:\/\/[^\s/:@?#'"`<>]{0,1000}:)(?!\d{1,5}[/?#])([^\s'"`<>]{0,4096}@|[^\s'"`<>@/]{0,4096}(?=['"`]\.\.\. \d+ more character))/gi;
const parameter =
  /([?&#][\w-]{0,60}(?:(?:password|passphrase|passwd|pwd|pass|secret|token|api[_-]?key|signature)|(?<=[?&#])sig)=)[^&\s'"`<>]*/gi;
/** Of requests: `Authorization: Bearer x`, and without the name of the header what looks like a token. */
const credentials =
  /(\bauthorization['"]?\s?[:=]\s?['"]?(?:basic|bearer|token) |\bbearer (?=[\w.~+/-]*\d)(?=[\w.~+/-]{8}))(?!or )[^\s'"`,;]+/gi;
/** Of an object that is shown: `password: 'x'`. */
const property =
  /((?:password|passphrase|passwd|pass|secret|token)['"]?: ?)(?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`(?:\\.|[^`\\])*`)/gi;
/** In words, as connection strings, variables and options have it: `password=x`, `DB_PASSWORD='x'`, `--token=x`. */
const word =
  /((?<![\w?&])[\w-]{0,60}(?:password|passphrase|passwd|pwd|pass|secret|token|api[_-]?key)(?:[ \t]=[ \t]|=))(?:'(?:\\.|''|[^'\\])*'|"(?:\\.|""|[^"\\])*"|(?![=>'"])[^\s;,&'"`<>]+)/gi;

const alreadyHidden = /^\*\*\*[)\].]*$/;

/**
 * A text of an error without the passwords of URLs, of their parameters, of headers, of settings and of words (`password=x`) in it: drivers put what they were given into what they throw,
 * and errors are kept and shown to many. A port and a path behind it are no password.
 */
export function withoutPasswords(text: string): string {
  return text
    .replace(login, (_, head: string, rest: string) => `${head}***${rest.endsWith('@') ? '@' : ''}`)
    .replace(parameter, hidden)
    .replace(credentials, hidden)
    .replace(property, "$1'***'")
    .replace(word, hidden);
}

/** Of what is hidden already the end of the sentence stays, which stands behind it. */
function hidden(found: string, head: string): string {
  return alreadyHidden.test(found.slice(head.length)) ? found : `${head}***`;
}
