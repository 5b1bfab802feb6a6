/**
 * What claims go by: the priority of a run, lifted by the janitor while the run is overdue. Part of the index of claims, and no column: a generated
 * column has its expression read anew for each row of an update that leaves it alone.
 */
export function rankOf(row?: string): string {
  const of = row === undefined ? '' : `${row}.`;
  return `greatest(${of}priority - ${of}lifted, 0)`;
}
