import { InvalidOptionError } from '../model/errors.js';
import type { JsonValue } from '../model/json.js';
import type { CheckedPayload, DtoClass, PayloadIssue, PayloadSchema } from '../model/payload.schema.js';
import type { StandardIssue, StandardSchema } from '../model/standard.schema.js';
import { assertDtoClass, checkDto } from './dto.check.js';

/**
 * Checks a payload; rejects with what the schema itself throws. The schema gets a copy: what is stored must not change by being looked at.
 */
export async function checkPayload(schema: PayloadSchema, payload: JsonValue): Promise<CheckedPayload> {
  const copy = structuredClone(payload);
  if (!isStandard(schema)) return checkDto(schema, copy);
  const result = await schema['~standard'].validate(copy);
  return result.issues ? { issues: result.issues.map(issueOf) } : { value: result.value, issues: null };
}

/** A schema that payloads can be checked with. Throws InvalidOptionError. */
export function assertPayloadSchema(given: unknown): PayloadSchema {
  if (isStandard(given)) {
    const { version } = given['~standard'] as { version: unknown };
    if (version === 1) return given;
    throw new InvalidOptionError(
      'schema',
      `has version ${String(version)} of the interface ~standard; this release knows version 1.`,
    );
  }
  if (typeof given === 'function' && given.prototype !== undefined) return assertDtoClass(given as DtoClass);
  throw new InvalidOptionError(
    'schema',
    'must be a Standard Schema, such as z.object({ … }) of zod, or a class with class-validator decorators.',
  );
}

/** Some libraries have schemas that are functions too. */
function isStandard(given: unknown): given is StandardSchema<any, any> {
  if ((typeof given !== 'object' && typeof given !== 'function') || given === null) return false;
  const standard = (given as Record<string, unknown>)['~standard'];
  return typeof standard === 'object' && standard !== null;
}

function issueOf({ message, path = [] }: StandardIssue): PayloadIssue {
  const keys = path.map((segment) => (typeof segment === 'object' ? segment.key : segment));
  return { message, path: keys.map((key) => (typeof key === 'symbol' ? String(key) : key)) };
}
