import type { JobRef, Pause, PauseScope, Trigger } from '../index.js';
import type { Colour } from './output.js';
import { shownText } from './text.width.js';

const mostLines = 100;

// How things are shown to people.

/** To the second, in UTC. */
export function instant(at: Date | null): string {
  return at === null ? '' : `${at.toISOString().slice(0, 19)}Z`;
}

/** The schedule, as short as it goes. */
export function schedule(trigger: Trigger): string {
  switch (trigger.type) {
    case 'cron':
      return (
        trigger.expression ??
        Object.entries(trigger.fields ?? {})
          .map(([name, value]) => `${name}=${value}`)
          .join(' ')
      );
    case 'interval':
      return `every ${typeof trigger.every === 'number' ? duration(trigger.every) : parts(trigger.every)}`;
    case 'at':
      return 'once';
    case 'after':
      return `after ${trigger.jobs.join(', ')}`;
    case 'manual':
      return 'by hand';
  }
}

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
] as const;

/** Such as `1h30m`. */
export function duration(ms: number): string {
  let left = ms;
  const said = units.flatMap(([name, unit]) => {
    const count = Math.floor(left / unit);
    left -= count * unit;
    return count === 0 ? [] : [`${count}${name}`];
  });
  return said.length === 0 ? '0s' : said.join('');
}

/** Of a job, a run or a workflow, or of its verdict. */
export function colourOf(state: string | null): Colour | null {
  if (state === null) return null;
  if (['failed', 'timed_out', 'lost', 'orphaned'].includes(state)) return 'red';
  if (['paused', 'cancelled', 'blocked'].includes(state)) return 'yellow';
  if (['running', 'succeeded', 'completed', 'active'].includes(state)) return 'green';
  return null;
}

/** The first line of an error. */
export function firstLine(error: string | null): string {
  return error?.split('\n', 1)[0] ?? '';
}

/** The lines after that, such as what a command wrote; of very many the last ones. */
export function moreLines(error: string | null): string[] {
  const lines = (error ?? '').split('\n').slice(1).map(shownText);
  if (lines.length <= mostLines) return lines;
  return [`… ${lines.length - mostLines} lines: --json has all`, ...lines.slice(-mostLines)];
}

export function scopeText(scope: PauseScope): string {
  const [[kind, name]] = Object.entries(scope) as [[string, string | true]];
  return name === true ? kind : `${kind} ${name}`;
}

/** Since when, until when, by whom and why. */
export function pauseText({ at, until, by, reason }: Pause): string {
  const end = until === null ? '' : ` until ${instant(until)}`;
  return `since ${instant(at)}${end}${by === null ? '' : ` by ${by}`}${reason === null ? '' : ` (${reason})`}`;
}

export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

function parts(every: object): string {
  return Object.entries(every)
    .map(([name, value]) => `${value} ${name}`)
    .join(' ');
}

export function jobName({ namespace, id }: JobRef): string {
  return namespace === 'default' ? id : `${namespace}/${id}`;
}

/** As one word for a shell, whatever is in it. */
export function shellWord(text: string): string {
  return /^[\w.:@/-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
