import { InvalidOptionError, InvalidPayloadError } from '../model/errors.js';
import type { JsonObject, JsonValue } from '../model/json.js';
import { issuesText, type PayloadIssue } from '../model/payload.schema.js';
import { BoundedCache } from '../triggers/bounded.cache.js';

/** What is used of ajv, an optional peer, which is loaded when a definition has a schema of its params. */
interface Validator {
  (value: unknown): boolean;
  errors?: readonly Issue[] | null;
}
interface Ajv {
  compile(schema: object): Validator;
  removeSchema(schema: object): unknown;
}
type AjvClass = new (options: object) => Ajv;

/** As ajv reports. */
interface Issue {
  instancePath: string;
  keyword: string;
  params: Record<string, unknown>;
  message?: string;
}

/** By what `$schema` says. */
const drafts: readonly { says: RegExp; module: string }[] = [
  { says: /^https:\/\/json-schema\.org\/draft\/2020-12\/schema#?$/, module: 'ajv/dist/2020.js' },
  { says: /^http:\/\/json-schema\.org\/draft-07\/schema#?$/, module: 'ajv' },
];
const loaded = new Map<string, Ajv>();
const validators = new BoundedCache<Validator>(1_000);

/** The schema can be used. Throws InvalidOptionError: it is no JSON Schema of draft 2020-12 or 7, or ajv is not installed. */
export function assertParamsSchema(schema: JsonObject): void {
  compiled(schema);
}

/** Throws InvalidPayloadError, with all that the schema objects to. `hash`: names the schema. */
export function assertParams(schema: JsonObject, hash: string, params: JsonValue, of: string): void {
  const validate = validators.get(hash) ?? validators.set(hash, compiled(schema));
  if (validate(params)) return;
  const issues = (validate.errors ?? []).map(issueOf);
  throw new InvalidPayloadError(
    'params',
    `do not fit the schema of ${of}: ${issuesText(issues, 'params')}.`,
    issues,
  );
}

function compiled(schema: JsonObject): Validator {
  const ajv = ajvFor(schema.$schema);
  // As it is kept by the one that knows it.
  const own = structuredClone(schema);
  try {
    return ajv.compile(own);
  } catch (cause) {
    const hint = /unknown format/.test(String(cause))
      ? ' Formats are checked where ajv-formats is installed: npm install ajv-formats.'
      : '';
    throw withCause(`is no JSON Schema that can be used: ${(cause as Error).message}.${hint}`, cause);
  } finally {
    // Else it kept all schemas for ever, and took another one with the same $id for this one.
    ajv.removeSchema(own);
  }
}

function ajvFor(says: JsonValue | undefined): Ajv {
  const draft =
    says === undefined ? drafts[0] : drafts.find((each) => typeof says === 'string' && each.says.test(says));
  if (draft === undefined) {
    throw new InvalidOptionError(
      'params',
      `has the $schema ${JSON.stringify(says)}. There are https://json-schema.org/draft/2020-12/schema, which is meant without one, and http://json-schema.org/draft-07/schema#.`,
    );
  }
  const known = loaded.get(draft.module);
  if (known !== undefined) return known;
  const ajv = load(draft.module);
  loaded.set(draft.module, ajv);
  return ajv;
}

function load(module: string): Ajv {
  let found: { default: AjvClass };
  try {
    // By names that bundlers see.
    found = (module === 'ajv' ? require('ajv') : require('ajv/dist/2020.js')) as { default: AjvClass };
  } catch (cause) {
    throw withCause(
      'are checked by ajv, which is not installed: npm install ajv. Or leave the schema out.',
      cause,
    );
  }
  const ajv = new found.default({
    allErrors: true,
    strict: true,
    strictTypes: false,
    strictRequired: false,
    allowUnionTypes: true,
  });
  try {
    (require('ajv-formats') as { default: (ajv: Ajv) => void }).default(ajv);
  } catch {
    // A schema that names a format is refused then.
  }
  return ajv;
}

function issueOf({ instancePath, keyword, params, message }: Issue): PayloadIssue {
  const path = instancePath
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((key) => (/^\d+$/.test(key) ? Number(key) : key));
  const extra = keyword === 'additionalProperties' ? ` ("${String(params.additionalProperty)}")` : '';
  return { path, message: `${message ?? keyword}${extra}` };
}

function withCause(problem: string, cause: unknown): InvalidOptionError {
  return Object.assign(new InvalidOptionError('params', problem), { cause });
}
