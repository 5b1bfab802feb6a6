/** Statements whose parameters are all sent as text, by how they were. There is a fixed number of texts, but for queries, which differ by their filters. */
const known = new Map<string, string>();
const mostKnown = 500;

/**
 * Has the server take each parameter as text, and read it as what the statement says: else a library would be told that type, and send what it makes of it. Numbers come out as float8, which
 * every library reads as a number, while some make texts or objects of a numeric: `enterTransactionSql` has seen to it that their digits are all there.
 */
export function textParameters(text: string): string {
  const found = known.get(text);
  if (found !== undefined) return found;
  const changed = text.replaceAll(/\$\d+(?=::)/g, '$&::text').replaceAll('::numeric', '::float8');
  if (known.size < mostKnown) known.set(text, changed);
  return changed;
}

/** A value as PostgreSQL reads it from text, which is what pg makes of it, too. */
export function textValue(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (Array.isArray(value)) return `{${value.map(element).join(',')}}`;
  return typeof value === 'object' ? JSON.stringify(value) : String(value as string | number | boolean);
}

function element(value: unknown): string {
  const text = textValue(value);
  return text === null ? 'NULL' : `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
}
