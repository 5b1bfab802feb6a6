import { columnParsers } from '../../lib/typeorm/column.parsers.js';

const floats: ReadonlySet<number> = new Set([700, 701, 1021, 1022]);
const { getTypeParser } = columnParsers;

/** In all tests: how many digits of a float8 come out is a matter of settings, so a statement that lets one out fails. What it is about belongs into a numeric, or into a bigint. */
columnParsers.getTypeParser = (oid) => {
  if (!floats.has(oid)) return getTypeParser(oid);
  return () => {
    throw new Error(
      'A statement lets a float8 out, whose digits depend on extra_float_digits: cast it to numeric.',
    );
  };
};
