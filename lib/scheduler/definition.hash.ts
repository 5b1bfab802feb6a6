import { createHash } from 'node:crypto';
import type { JobDefinition } from '../model/job.js';

/** Names a definition by its content: equal hashes, nothing to store. */
export function definitionHash(definition: JobDefinition): string {
  return hashOf(definition);
}

export function hashOf(value: unknown): string {
  return createHash('sha256').update(stableJson(value)).digest('hex');
}

/** JSON in which the order of keys does not matter. */
export function stableJson(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) =>
    typeof item === 'object' && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}
