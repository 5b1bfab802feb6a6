/** Rows of a table of which an index begins with the namespace. `where`: of those that the index has, as the row `n`. */
export interface Walked {
  table: string;
  where?: string;
}

/** An array of all namespaces that these tables have, found by jumping from one to the next in the index of each: with them what is of one job is found by its id alone. */
export function namespacesIn(...walked: readonly Walked[]): string {
  return `array(${walked.map(walk).join(' union ')})`;
}

function walk({ table, where = 'true' }: Walked): string {
  return `(
  with recursive walked (name) as (
    (select n.namespace from ${table} n where ${where} order by n.namespace limit 1)
    union all
    select (select n.namespace from ${table} n where ${where} and n.namespace > w.name order by n.namespace limit 1)
    from walked w where w.name is not null
  ) select name from walked where name is not null
)`;
}
