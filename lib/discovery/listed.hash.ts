import type { JobDefinition } from '../model/job.js';
import { definitionHash } from '../scheduler/definition.hash.js';

/** Of a name that may have any characters, and a hash that has none of them. */
const pattern = /^list:(.*)#([^#]*):[0-9a-f]{64}$/s;

/** Which list a job is of, and which part of that. */
export interface ListPart {
  list: string;
  part: string;
}

/**
 * Names the definition of a job of a list by its content, and says where it is from: so whoever reads the list knows, without having been there, which stored jobs are not in it any more.
 */
export function listedHash({ list, part }: ListPart, definition: JobDefinition): string {
  return `list:${list}#${encodeURIComponent(part)}:${definitionHash(definition)}`;
}

/** null: code declares it. */
export function listPartOf(hash: string): ListPart | null {
  const found = pattern.exec(hash);
  return found && { list: found[1]!, part: decodeURIComponent(found[2]!) };
}
