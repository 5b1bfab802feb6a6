/** "a", "a and b", "a, b and c". */
export function listed(words: readonly string[], last = 'and'): string {
  if (words.length < 2) return words[0] ?? '';
  return `${words.slice(0, -1).join(', ')} ${last} ${words.at(-1)}`;
}

/** "1st", "2nd", "13th", "21st". */
export function ordinal(value: number): string {
  const teen = value % 100 >= 11 && value % 100 <= 13;
  return `${value}${teen ? 'th' : (['th', 'st', 'nd', 'rd'][value % 10] ?? 'th')}`;
}

/** "1 minute", "5 minutes". */
export function counted(value: number, unit: string): string {
  return `${value} ${unit}${value === 1 ? '' : 's'}`;
}

const units: readonly [string, number][] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
  ['millisecond', 1],
];

/** "1 hour 30 minutes"; 1 is left out where the unit stands alone ("every day"). */
export function durationWords(ms: number, withoutOne = false): string {
  const only = units.find(([, length]) => length === ms);
  if (withoutOne && only) return only[0];
  const words: string[] = [];
  let rest = ms;
  for (const [unit, length] of units) {
    const value = Math.floor(rest / length);
    if (value > 0) words.push(counted(value, unit));
    rest -= value * length;
  }
  return words.join(' ');
}

/** Ascending numbers with their runs joined: "1", "1 to 5", "1, 3 and 7 to 9". */
export function runs(values: readonly number[], word: (value: number) => string, last = 'and'): string {
  const words: string[] = [];
  for (let index = 0; index < values.length; index++) {
    let end = index;
    while (end + 1 < values.length && values[end + 1] === values[end]! + 1) end++;
    if (end - index >= 2) {
      words.push(`${word(values[index]!)} to ${word(values[end]!)}`);
      index = end;
    } else {
      words.push(word(values[index]!));
    }
  }
  return listed(words, last);
}

export const monthWords = [
  '',
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

/** 0 = Sunday. */
export const weekdayWords = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

/** Weekdays (0 = Sunday) in the order of a week that begins on Monday: "Monday to Friday", "Saturday and Sunday". */
export function weekdayList(weekdays: readonly number[], last = 'and'): string {
  const fromMonday = weekdays.map((weekday) => (weekday + 6) % 7).sort((a, b) => a - b);
  return runs(fromMonday, (index) => weekdayWords[(index + 1) % 7]!, last);
}
