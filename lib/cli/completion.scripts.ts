import { longFlag, type CliCommand } from './cli.command.js';
import { globalOptions } from './global.options.js';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/** What may follow the words of a command: further words, and options. */
interface Place {
  /** `''`, `jobs`, `jobs list`. */
  words: string;
  next: { word: string; summary: string }[];
  flags: { flag: string; help: string }[];
}

/** A script for the shell. */
export function completionScript(shell: Shell, commands: readonly CliCommand[]): string {
  const places = placesOf(commands);
  if (shell === 'fish') return fish(places);
  return shell === 'bash' ? bash(places) : zsh(places);
}

function placesOf(commands: readonly CliCommand[]): Place[] {
  const globals = Object.values(globalOptions).map((option) => ({
    flag: longFlag(option),
    help: option.help,
  }));
  const places = new Map<string, Place>([['', { words: '', next: [], flags: globals }]]);
  for (const { name, summary, options } of commands) {
    const words = name.split(' ');
    words.forEach((word, nth) => {
      const before = words.slice(0, nth).join(' ');
      const here = words.slice(0, nth + 1).join(' ');
      const { next } = places.get(before)!;
      const isLast = nth === words.length - 1;
      if (!next.some((each) => each.word === word))
        next.push({ word, summary: isLast ? summary : `${word} …` });
      if (!places.has(here)) places.set(here, { words: here, next: [], flags: [...globals] });
    });
    const own = Object.values(options).map((option) => ({ flag: longFlag(option), help: option.help }));
    places.get(name)!.flags.unshift(...own);
  }
  return [...places.values()];
}

/** Both shells walk through the words that are no options, as far as they are commands. */
function walk(places: readonly Place[]): string {
  return places
    .map(({ words, next, flags }) => {
      const all = [...next.map(({ word }) => word), ...flags.map(({ flag }) => flag)];
      return `    ${quoted(words)}) words=${quoted(all.join(' '))} ;;`;
    })
    .join('\n');
}

function bash(places: readonly Place[]): string {
  return `# chronis: completion for bash
_chronis_words() {
  local words
  case "$1" in
${walk(places)}
    *) return 1 ;;
  esac
  printf '%s' "$words"
}
_chronis() {
  local place='' word next nth current="\${COMP_WORDS[COMP_CWORD]}"
  for ((nth = 1; nth < COMP_CWORD; nth++)); do
    word="\${COMP_WORDS[nth]}"
    next="\${place:+$place }$word"
    _chronis_words "$next" >/dev/null && place="$next"
  done
  COMPREPLY=($(compgen -W "$(_chronis_words "$place")" -- "$current"))
}
complete -o default -F _chronis chronis
`;
}

function zsh(places: readonly Place[]): string {
  return `#compdef chronis
# chronis: completion for zsh
_chronis_words() {
  local words
  case "$1" in
${walk(places)}
    *) return 1 ;;
  esac
  print -rn -- "$words"
}
_chronis() {
  local place='' word next nth
  for ((nth = 2; nth < CURRENT; nth++)); do
    word="\${words[nth]}"
    next="\${place:+$place }$word"
    _chronis_words "$next" >/dev/null && place="$next"
  done
  local -a all
  all=(\${=$(_chronis_words "$place")})
  compadd -- $all
  _files
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }
compdef _chronis chronis
`;
}

function fish(places: readonly Place[]): string {
  const lines = places.flatMap(({ words, next, flags }) => {
    const here = words === '' ? '__fish_use_subcommand' : `__chronis_at ${words}`;
    return [
      ...next.map(
        ({ word, summary }) => `complete -c chronis -n ${quoted(here)} -f -a ${word} -d ${quoted(summary)}`,
      ),
      ...flags.map(
        ({ flag, help }) => `complete -c chronis -n ${quoted(here)} -l ${flag.slice(2)} -d ${quoted(help)}`,
      ),
    ];
  });
  return `# chronis: completion for fish
function __chronis_at
  set -l typed (commandline -opc)[2..-1]
  test (count $typed) -ge (count $argv); or return 1
  test "$typed[1..(count $argv)]" = "$argv"
end
${lines.join('\n')}
`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
