type Parser = (text: string) => unknown;

/** An empty object is what most columns of JSON hold. */
const fromJson: Parser = (text) => (text === '{}' ? {} : JSON.parse(text));

/** How columns come out, whatever parsers the application has registered with pg: our statements only return these types. */
const parsers = new Map<number, Parser>([
  [16, (text) => text === 't'], // boolean
  [21, Number], // smallint
  [23, Number], // integer
  [701, Number], // double precision, which nothing of ours should come out as: its text has the digits that `extra_float_digits` leaves it
  [1700, Number], // numeric, whose text no setting changes
  [114, fromJson], // json
  [3802, fromJson], // jsonb
]);

/**
 * bigint and text stay text. Rows that follow each other often say the same (queue, handler, namespace), of which a thousand runs in memory then
 * share one string.
 */
function asText(): Parser {
  let last = '';
  return (text) => (text === last ? last : (last = text));
}

/** Asked for each column of a result. */
export const columnParsers = { getTypeParser: (oid: number): Parser => parsers.get(oid) ?? asText() };
