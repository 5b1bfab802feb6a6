import type { JobRef } from '../model/job.js';

// How the log puts things into words.

const shown = 5;

export function refs(jobs: readonly JobRef[]): string {
  return cutList(jobs.map(named));
}

export function cutList(names: readonly string[]): string {
  return [...names.slice(0, shown), ...(names.length > shown ? ['…'] : [])].join(', ');
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
