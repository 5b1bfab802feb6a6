import { definitionKey, pinnedKey, type DefinitionRef } from '../model/definition.js';
import { DefinitionNotFoundError, InvalidOptionError } from '../model/errors.js';
import type { JsonObject } from '../model/json.js';
import { nearestName } from '../model/nearest.name.js';
import type { DefinitionStorage } from '../ports/storage.adapter.js';
import { namespaceOf } from '../scheduler/job.identity.js';
import { lineOfText, wholeNumber } from '../scheduler/option.checks.js';

/** With the number of a version it has to fit into the id of a job. */
const maxNameLength = 200;
const highestVersion = 1_000_000_000;
const mostCompared = 500;
const mostListed = 20;

/** Throws InvalidOptionError. */
export function definitionRef(name: unknown, namespace: unknown): DefinitionRef {
  return { namespace: namespaceOf(namespace), name: lineOfText(name, 'name', maxNameLength) };
}

/** null: none was given. Throws InvalidOptionError. */
export function versionOf(given: unknown): number | null {
  return given === undefined ? null : wholeNumber(given, 'version', 1, highestVersion);
}

/** Metadata of users. Throws InvalidOptionError: it has what is said by the start. */
export function withoutReference(metadata: JsonObject): JsonObject {
  const own = [definitionKey, pinnedKey].find((key) => Object.hasOwn(metadata, key));
  if (own === undefined) return metadata;
  throw new InvalidOptionError(
    `metadata.${own}`,
    'names the version that a job was started from, which the start says itself. Leave it out.',
  );
}

/** Nothing where there is one only. Of many the first ones, as the latest is named anyway. */
async function versionsThere(
  { namespace, name }: DefinitionRef,
  definitions: DefinitionStorage,
): Promise<string> {
  const { items, cursor } = await definitions.queryDefinitions({ namespace, name }, { limit: mostListed });
  const numbers = items.map(({ version }) => version);
  if (numbers.length < 2) return '';
  const rest = cursor === null ? ` and ${numbers.pop()}` : ', …';
  return `There are the versions ${numbers.join(', ')}${rest}. `;
}

/** The error for a definition that is not there, or not any more, with what was probably meant. */
export async function missingDefinition(
  ref: DefinitionRef,
  version: number | null,
  definitions: DefinitionStorage,
): Promise<DefinitionNotFoundError> {
  const { namespace, name } = ref;
  const of = (problem: string): DefinitionNotFoundError =>
    new DefinitionNotFoundError(name, namespace, version, problem);
  const latest = await definitions.getDefinition(ref, null);
  if (latest !== null) {
    const stored = await definitions.getDefinition(ref, version);
    const why = stored?.deletedAt ? ` any more: it was deleted at ${stored.deletedAt.toISOString()}` : '';
    return of(`${why}. ${await versionsThere(ref, definitions)}The latest is version ${latest.version}.`);
  }
  const { items } = await definitions.queryDefinitions({ namespace, latest: true }, { limit: mostCompared });
  const meant = nearestName(
    name,
    items.map((item) => item.name),
  );
  return of(
    meant === null ? '. Define it first, by DefinitionService.define().' : `. Did you mean "${meant}"?`,
  );
}
