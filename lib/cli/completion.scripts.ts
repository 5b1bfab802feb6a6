import { longFlag, type CliCommand } from './cli.command.js';
import type { CliOption } from './cli.option.js';
import { shellWord } from './cli.words.js';
import { globalOptions } from './global.options.js';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/** What may follow the words of a command: further words, and options. */
interface Place {
  /** `''`, `jobs`, `jobs list`. */
  words: string;
  next: { word: string; summary: string }[];
  flags: Flag[];
}

interface Flag {
  flag: string;
  help: string;
  /** A value follows. */
  takesValue: boolean;
  /** What the value may be; none: anything. */
  words: readonly string[];
}

/** A script for the shell. */
export function completionScript(shell: Shell, commands: readonly CliCommand[]): string {
  const places = placesOf(commands);
  if (shell === 'fish') return fish(places);
  return shell === 'bash' ? bash(places) : zsh(places);
}

function placesOf(commands: readonly CliCommand[]): Place[] {
  const globals = Object.values(globalOptions).map(flagOf);
  const places = new Map<string, Place>([['', { words: '', next: [], flags: globals }]]);
  for (const { name, summary, options, argumentWords = [] } of commands) {
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
    const place = places.get(name)!;
    place.next.push(...argumentWords.map((word) => ({ word, summary: '' })));
    place.flags.unshift(...Object.values(options).map(flagOf));
  }
  return [...places.values()];
}

function flagOf(option: CliOption): Flag {
  const { help, flags, words = [] } = option;
  return { flag: longFlag(option), help, takesValue: flags.includes('<'), words };
}

/** The words of those values that are one of several, of the same flag in all commands. */
function valueCases(places: readonly Place[]): string {
  const found = new Map<string, Set<string>>();
  for (const { flag, words } of places.flatMap((place) => place.flags)) {
    if (words.length === 0) continue;
    found.set(flag, new Set([...(found.get(flag) ?? []), ...words]));
  }
  return [...found]
    .map(([flag, words]) => `    ${flag}) words=${shellWord([...words].join(' '))} ;;`)
    .join('\n');
}

/** Those that a value follows, in whichever command. */
function withValue(places: readonly Place[]): string[] {
  const flags = places.flatMap((place) => place.flags).filter(({ takesValue }) => takesValue);
  return [...new Set(flags.map(({ flag }) => flag))].toSorted();
}

/** All shells walk through the words that are neither options nor their values, as far as they are commands. */
function walk(places: readonly Place[]): string {
  return places
    .map(({ words, next, flags }) => {
      const all = [...next.map(({ word }) => word), ...flags.map(({ flag }) => flag)];
      return `    ${shellWord(words)}) words=${shellWord(all.join(' '))} ;;`;
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
_chronis_takes_value() {
  case "$1" in
    ${withValue(places).join(' | ')}) return 0 ;;
  esac
  return 1
}
_chronis_values() {
  local words
  case "$1" in
${valueCases(places)}
    *) return 1 ;;
  esac
  printf '%s' "$words"
}
_chronis() {
  local place='' word next nth current="\${COMP_WORDS[COMP_CWORD]}"
  COMPREPLY=()
  next="$(_chronis_values "\${COMP_WORDS[COMP_CWORD - 1]}")" && {
    COMPREPLY=($(compgen -W "$next" -- "$current"))
    return
  }
  # A value: files are offered where nothing is.
  _chronis_takes_value "\${COMP_WORDS[COMP_CWORD - 1]}" && return
  for ((nth = 1; nth < COMP_CWORD; nth++)); do
    word="\${COMP_WORDS[nth]}"
    _chronis_takes_value "$word" && { ((nth++)); continue; }
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
_chronis_takes_value() {
  case "$1" in
    ${withValue(places).join(' | ')}) return 0 ;;
  esac
  return 1
}
_chronis_values() {
  local words
  case "$1" in
${valueCases(places)}
    *) return 1 ;;
  esac
  print -rn -- "$words"
}
_chronis() {
  local place='' word next nth
  next="$(_chronis_values "\${words[CURRENT - 1]}")" && { compadd -- \${=next}; return }
  _chronis_takes_value "\${words[CURRENT - 1]}" && { _files; return }
  for ((nth = 2; nth < CURRENT; nth++)); do
    word="\${words[nth]}"
    _chronis_takes_value "$word" && { ((nth++)); continue }
    next="\${place:+$place }$word"
    _chronis_words "$next" >/dev/null && place="$next"
  done
  local -a all
  all=(\${=$(_chronis_words "$place")})
  compadd -- $all || _files
}
# As a file of $fpath this is what is called, and else what is read at the start.
if [[ "\${funcstack[1]}" == _chronis ]]; then
  _chronis "$@"
else
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }
  compdef _chronis chronis
fi
`;
}

function fish(places: readonly Place[]): string {
  const lines = places.flatMap(({ words, next, flags }) => {
    const here = `__chronis_at ${words}`.trim();
    return [
      ...next.map(
        ({ word, summary }) =>
          `complete -c chronis -n ${shellWord(here)} -f -a ${word} -d ${shellWord(summary)}`,
      ),
      ...flags.map(
        ({ flag, help, takesValue, words: values }) =>
          `complete -c chronis -n ${shellWord(here)} -l ${flag.slice(2)}${takesValue ? fishValue(values) : ''} -d ${shellWord(help)}`,
      ),
    ];
  });
  return `# chronis: completion for fish
function __chronis_at
  set -l place
  set -l typed (commandline -opc)
  set -e typed[1]
  while set -q typed[1]
    set -l word $typed[1]
    set -e typed[1]
    if contains -- $word ${withValue(places).join(' ')}
      set -e typed[1]
      continue
    end
    set -l next $place $word
    contains -- "$next" ${places.flatMap(({ words }) => (words === '' ? [] : shellWord(words))).join(' ')}
    and set place $next
  end
  test "$place" = "$argv"
end
${lines.join('\n')}
`;
}

function fishValue(words: readonly string[]): string {
  return words.length === 0 ? ' -r' : ` -x -a ${shellWord(words.join(' '))}`;
}
