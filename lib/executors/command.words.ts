/** The words of a command, or why it has none. */
export type Words = { words: string[] } | { problem: string };

/** What only a shell knows, where it is not quoted. */
const ofShell = new Set('|&;<>()$`*?[]{}~#!\n');
const blank = new Set(' \t');

/**
 * The command as words, by the rules of a shell for quotes and backslashes, and by no others: what else a shell would do is refused, as it would be handed on as text.
 */
export function wordsOf(command: string): Words {
  const words: string[] = [];
  let word: string | null = null;
  for (let at = 0; at < command.length; at++) {
    const char = command[at]!;
    if (blank.has(char)) {
      if (word !== null) words.push(word);
      word = null;
    } else if (char === "'" || char === '"') {
      const quoted = quotedFrom(command, at + 1, char);
      if (quoted === null) return { problem: `has a ${char} that is not closed` };
      if ('problem' in quoted) return quoted;
      word = (word ?? '') + quoted.text;
      at = quoted.end;
    } else if (char === '\\') {
      if (at + 1 === command.length) return { problem: 'ends with a backslash' };
      word = (word ?? '') + command[++at]!;
    } else if (ofShell.has(char) && !isText(char, word)) {
      return { problem: onlyShell(char) };
    } else {
      word = (word ?? '') + char;
    }
  }
  if (word !== null) words.push(word);
  return words.length === 0 ? { problem: 'is empty' } : { words };
}

/** Some mean something to a shell at the begin of a word alone. */
function isText(char: string, word: string | null): boolean {
  return (char === '~' || char === '#' || char === '!') && word !== null;
}

function quotedFrom(
  command: string,
  from: number,
  quote: string,
): { text: string; end: number } | { problem: string } | null {
  let text = '';
  for (let at = from; at < command.length; at++) {
    const char = command[at]!;
    if (char === quote) return { text, end: at };
    const next = command[at + 1];
    if (quote === '"' && char === '\\' && next !== undefined && '"\\$`'.includes(next)) {
      text += next;
      at++;
    } else if (quote === '"' && (char === '$' || char === '`')) {
      return { problem: onlyShell(char) };
    } else {
      text += char;
    }
  }
  return null;
}

function onlyShell(char: string): string {
  const named = char === '\n' ? 'a line break' : `"${char}"`;
  return `has ${named}, which only a shell understands, and this one is run without. Put it between single quotes where it is meant as text, or give "shell": true where the command executor allows that`;
}
