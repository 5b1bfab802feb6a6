/** Whether a run waits to be claimed, in words that its index is found by. */
export function isWaiting(row: string): string {
  return `${row}.worker is null and ${isInClaims(row)}`;
}

/** Whether a run is in the index of claims: it waits, or it is in the hands of a worker that has not parked it. */
export function isInClaims(row: string): string {
  return `${row}.due_at is not null and ${row}.parked_by is null`;
}
