import { createHash } from 'node:crypto';
import type { JobDefinition } from '../model/job.js';
import { stableJson } from '../model/json.js';

/** Names a definition by its content: equal hashes, nothing to store. */
export function definitionHash(definition: JobDefinition): string {
  return hashOf(definition);
}

export function hashOf(value: unknown): string {
  return createHash('sha256').update(stableJson(value)).digest('hex');
}
