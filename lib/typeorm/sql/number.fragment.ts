/** How many digits each type takes without an overflow, also as milliseconds added to a time. */
const digits = { int: '^[0-9]{1,9}$', float8: '^[0-9]{1,15}([.][0-9]{1,9})?$' } as const;

/**
 * A number that stands in JSON, as text. What is none, since somebody has changed the row by hand, counts as the default: a cast that fails would take with it
 * all the rows of its statement.
 */
export function numberOf(text: string, type: keyof typeof digits, otherwise: number): string {
  return `case when ${text} ~ '${digits[type]}' then (${text})::${type} else ${otherwise} end`;
}
