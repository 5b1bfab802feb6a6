/** The names under which the fields of a cron appear in errors. */
export type FieldName =
  | 'second'
  | 'minute'
  | 'hour'
  | 'day'
  | 'month'
  | 'weekday'
  | 'dayOfWeek'
  | 'week'
  | 'year';

/** What a field may hold. */
export interface FieldSpec {
  name: FieldName;
  min: number;
  max: number;
  /** How many different values there are; no step is wider. */
  width: number;
  names: ReadonlyMap<string, number> | null;
  /** The values that `H` chooses from, unless it names a range; null: the field takes no `H`. */
  hashed: readonly [number, number] | null;
  kind: 'time' | 'day' | 'weekday' | 'date';
  /** Whether the words of the fields object ("last", "2nd mon") are understood, and blanks after commas. */
  words: boolean;
}

const monthNames = numbered(
  ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'],
  1,
);
const fromSunday = numbered(['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'], 0);
const fromMonday = numbered(['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'], 0);

/** Weekdays by their three letters, 0 = Sunday. */
export const weekdayNames: ReadonlyMap<string, number> = fromSunday;

function numbered(names: string[], first: number): ReadonlyMap<string, number> {
  return new Map(names.map((name, index) => [name, index + first]));
}

function spec(name: FieldName, min: number, max: number, more: Partial<FieldSpec> = {}): FieldSpec {
  return {
    name,
    min,
    max,
    width: max - min + 1,
    names: null,
    hashed: [min, max],
    kind: 'time',
    words: false,
    ...more,
  };
}

/** The fields of a cron string. */
export const stringFields = {
  second: spec('second', 0, 59),
  minute: spec('minute', 0, 59),
  hour: spec('hour', 0, 23),
  // H leaves out the days that some months do not have, so that it runs every month.
  day: spec('day', 1, 31, { kind: 'day', hashed: [1, 28] }),
  month: spec('month', 1, 12, { kind: 'date', names: monthNames }),
  // 7 is Sunday too, so the field ends with it: `1/2` is Monday, Wednesday, Friday, Sunday.
  weekday: spec('weekday', 0, 7, { kind: 'weekday', names: fromSunday, width: 7, hashed: [0, 6] }),
  year: spec('year', 1970, 9999, { kind: 'date', hashed: null }),
};

/** The fields of a fields object, from the most to the least significant. */
export const objectFields = {
  year: { ...stringFields.year, words: true },
  month: { ...stringFields.month, words: true },
  day: { ...stringFields.day, words: true },
  week: spec('week', 1, 53, { kind: 'date', words: true }),
  dayOfWeek: spec('dayOfWeek', 0, 6, { kind: 'weekday', names: fromMonday, words: true }),
  hour: { ...stringFields.hour, words: true },
  minute: { ...stringFields.minute, words: true },
  second: { ...stringFields.second, words: true },
};
