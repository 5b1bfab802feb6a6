/** One line of a table: what is asked, and the instants that must come out, in their order. */
export interface VectorRow {
  expression: string;
  zone: string;
  from: string;
  expected: string[];
  title: string;
}

/**
 * Reads lines `expression | zone | from | instant, instant, …`. Instants are UTC, `2026-03-08 07:00` or with seconds. A field
 * that is empty repeats the one above. Lines that begin with # are remarks.
 */
export function rowsOf(table: string): VectorRow[] {
  let zone = 'UTC';
  let from = '2026-01-01 00:00';
  return table
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [expression, givenZone, givenFrom, instants] = line.split('|').map((cell) => cell.trim());
      zone = givenZone || zone;
      from = givenFrom || from;
      const expected = (instants ?? '').split(',').filter((text) => text.trim() !== '');
      return {
        expression: expression!,
        zone,
        from: isoOf(from),
        expected: expected.map(isoOf),
        title: `${expression} in ${zone} after ${from}`,
      };
    });
}

/** "2026-03-08 07:00" as "2026-03-08T07:00:00.000Z". */
export function isoOf(text: string): string {
  const [date, time = '00:00'] = text.trim().split(' ');
  return `${date}T${time.length === 5 ? `${time}:00` : time}.000Z`;
}
