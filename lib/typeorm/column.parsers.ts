/** How columns come out, whatever parsers the application has registered with pg: our statements only return these types. */
const parsers = new Map<number, (text: string) => unknown>([
  [16, (text) => text === 't'], // boolean
  [21, Number], // smallint
  [23, Number], // integer
  [701, Number], // double precision
  [114, JSON.parse], // json
  [3802, JSON.parse], // jsonb
]);

/** bigint and text stay text. */
const asText = (text: string): string => text;

export const columnParsers = { getTypeParser: (oid: number) => parsers.get(oid) ?? asText };
