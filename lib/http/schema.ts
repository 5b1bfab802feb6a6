/** A JSON Schema (2020-12), as OpenAPI 3.1 has it. */
export interface Schema {
  readonly [keyword: string]: unknown;
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
}

export const text: Schema = { type: 'string' };
export const instant: Schema = { type: 'string', format: 'date-time' };
export const count: Schema = { type: 'integer', minimum: 0 };
export const flag: Schema = { type: 'boolean' };
/** Any JSON. */
export const json: Schema = {};
export const anyObject: Schema = { type: 'object' };
/** A length of time: milliseconds, text, or parts. */
export const duration: Schema = {
  type: ['number', 'string', 'object'],
  description: "Milliseconds, text such as '90s', '1h30m' or 'PT5M', or parts such as { minutes: 5 }.",
};
/** A point in time as it is given. */
export const givenInstant: Schema = {
  type: ['string', 'number'],
  description: 'ISO 8601 text, or milliseconds since the epoch.',
};

/** When a pause ends. */
export const pauseEnd: Schema = {
  type: ['string', 'number', 'object'],
  description:
    'An instant (ISO 8601 text, or milliseconds since the epoch), or how long it lasts (milliseconds, text such as "2h", or parts such as { hours: 2 }).',
};

export function described(schema: Schema, description: string): Schema {
  return { ...schema, description };
}

export function oneOf(...words: readonly string[]): Schema {
  return { type: 'string', enum: words };
}

export function listOf(items: Schema): Schema {
  return { type: 'array', items };
}

export function nullable(schema: Schema): Schema {
  if (schema.type === undefined) return schema;
  const { enum: words } = schema;
  const type = [schema.type].flat();
  return { ...schema, type: [...type, 'null'], ...(Array.isArray(words) && { enum: [...words, null] }) };
}

/** What an answer is: all of it is there, and there may be more in a later release. */
export function object(
  properties: Readonly<Record<string, Schema>>,
  optional: readonly string[] = [],
): Schema {
  return {
    type: 'object',
    properties,
    required: Object.keys(properties).filter((key) => !optional.includes(key)),
  };
}

/** What a request is: nothing beside it is taken. */
export function input(
  properties: Readonly<Record<string, Schema>>,
  required: readonly string[] = [],
): Schema {
  return { type: 'object', properties, required, additionalProperties: false };
}

/** A page of a list. */
export function pageOf(
  items: Schema,
  more: Readonly<Record<string, Schema>> = {},
  optional: readonly string[] = [],
): Schema {
  const nextCursor = described(nullable(text), 'Leads to the next page; null: there is none.');
  return object({ items: listOf(items), nextCursor, ...more }, optional);
}
