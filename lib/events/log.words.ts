import type { JobRef } from '../model/job.js';
import type { Retention } from '../model/retention.js';

// How the log puts things into words.

const shown = 5;

/** What a terminal would obey, and what turns the direction of text around. */
const unseen = /(?!\t)[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu;
const indent = '    ';

/** A text of the log whose further lines nobody can take for lines of the log: names and errors come from anywhere. */
export function asOneEntry(text: string): string {
  return text
    .split(/\r\n|[\n\v\f\r\u0085\u2028\u2029]/)
    .map((line, nth) => (nth > 0 && !line.startsWith(indent) ? indent : '') + line.replace(unseen, '\ufffd'))
    .join('\n');
}

export function refs(jobs: readonly JobRef[]): string {
  return cutList(jobs.map(named));
}

export function cutList(names: readonly string[], separator = ', '): string {
  return [...names.slice(0, shown), ...(names.length > shown ? ['…'] : [])].join(separator);
}

export function named({ namespace, id }: JobRef): string {
  return namespace === 'default' ? `"${id}"` : `"${id}" in "${namespace}"`;
}

/** As a sentence. */
export function ended(text: string): string {
  return /[.!?…]$/.test(text) ? text : `${text}.`;
}

/** Nothing for none. */
export function some(number: number, noun: string): string[] {
  return number > 0 ? [count(number, noun)] : [];
}

export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

export function list(names: readonly string[]): string {
  return names.length < 3
    ? names.join(' and ')
    : `${names.slice(0, -1).join(', ')} and ${names[names.length - 1]}`;
}

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const;

/** How long the record is kept. */
export function kept({ defaultMs, byVerdict, historyMs, auditMs }: Retention): string {
  const others = Object.entries(byVerdict).map(([verdict, ms]) => `${verdict} ${duration(ms)}`);
  if (historyMs !== undefined) others.push(`history ${historyMs === 0 ? 'none' : duration(historyMs)}`);
  if (auditMs !== undefined) others.push(`audit ${duration(auditMs)}`);
  return duration(defaultMs) + (others.length > 0 ? ` (${others.join(', ')})` : '');
}

/** In the largest unit of which there are ten, to its nearest: two digits are enough of what nobody needs exactly. */
export function span(ms: number): string {
  const [name, unit] = units.find(([, unitMs]) => ms >= 10 * unitMs) ?? ['ms', 1];
  return `${Math.round(ms / unit)} ${name}`;
}

/** In the largest unit that makes a whole number of it. */
function duration(ms: number): string {
  const [name, unit] = units.find(([, unitMs]) => ms % unitMs === 0) ?? ['ms', 1];
  return `${ms / unit} ${name}`;
}
