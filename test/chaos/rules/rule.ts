import type { Evidence } from '../evidence.js';

/** Something that must never be; each text is one violation. */
export interface Rule {
  name: string;
  find: (evidence: Evidence) => string[];
}

export const instant = (at: number): string => new Date(at).toISOString().slice(11, 23);

export function grouped<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group === undefined) groups.set(key(item), [item]);
    else group.push(item);
  }
  return groups;
}
