/**
 * An array parameter whose length the planner is not told. For few rows it looks each one up by an index, for many it would rather read
 * tables from one end to the other: right for the moment, but these tables grow.
 */
export function ofAnyLength(parameter: string): string {
  return `(select ${parameter})`;
}

/** Rows out of arrays, one array for each column: for `unnest`, under an alias with the names of the columns. */
export function unnest(parameters: readonly string[]): string {
  return `unnest(${parameters.map(ofAnyLength).join(', ')})`;
}
