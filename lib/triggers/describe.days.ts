import type { CronDefinition } from './cron.definition.js';
import { listed, monthWords, ordinal, runs, weekdayList, weekdayWords } from './english.js';
import type { FieldSet, NthWeekday } from './field.set.js';

/** The days of a cron in words, in parts that commas join: ["Monday to Friday", "in January"]. */
export function describeDays(cron: CronDefinition): string[] {
  const { day, weekday, week, month, year, either } = cron;
  const months = month.full ? null : runs(month.list(), (value) => monthWords[value]!);
  const parts: string[] = [];
  const onDay = day.full ? null : dayWords(day, months === null || either ? 'the month' : months);
  const onWeekday = weekday.full ? null : weekdayWordsOf(weekday);
  if (onDay !== null && onWeekday !== null) {
    parts.push(
      either
        ? `${onDay}, and also ${onWeekday}`
        : `${onDay}, if it is ${withoutPlural(weekdayWordsOf(weekday, 'or'))}`,
    );
  } else if (!either) {
    parts.push(...[onDay ?? onWeekday].filter((words) => words !== null));
  }
  if (week && !week.full)
    parts.push(`in ISO week${week.list().length > 1 ? 's' : ''} ${runs(week.list(), String)}`);
  if (months !== null && (onDay === null || either)) parts.push(`in ${months}`);
  if (year && !year.unrestricted && !year.full) parts.push(`in ${yearWords(year)}`);
  return parts;
}

function dayWords(day: FieldSet, month: string): string {
  const words: string[] = [];
  const plain = day.list();
  if (plain.length > 0) words.push(`the ${runs(plain, ordinal)} of ${month}`);
  for (let n = 1; n <= 31; n++) {
    if ((day.nearest >>> n) & 1) words.push(`the working day nearest to the ${ordinal(n)} of ${month}`);
  }
  for (let before = 30; before > 0; before--) {
    if ((day.fromLast >>> before) & 1) words.push(`the ${ordinal(before + 1)} last day of ${month}`);
  }
  if (day.lastWorkday) words.push(`the last working day of ${month}`);
  if (day.fromLast & 1) words.push(`the last day of ${month}`);
  words.push(...day.nth.map((nth) => nthWords(nth, month)));
  return `on ${listed(words)}`;
}

function weekdayWordsOf(weekday: FieldSet, last = 'and'): string {
  const plain = weekday.list();
  const words = plain.length > 0 ? [weekdayList(plain, last)] : [];
  words.push(...weekday.nth.map((nth) => nthWords(nth, 'the month')));
  if (weekday.nth.length === 0 && /^\w+ to \w+$/.test(words[0]!)) return words[0]!;
  const single = plain.length === 1 && weekday.nth.length === 0;
  return `on ${listed(words, last)}${single ? 's' : ''}`;
}

/** "on Fridays" becomes "Friday". */
function withoutPlural(words: string): string {
  return words.replace(/^on /, '').replace(/^(\w+day)s$/, '$1');
}

const places = ['last', 'first', 'second', 'third', 'fourth', 'fifth'];

function nthWords({ weekday, nth }: NthWeekday, month: string): string {
  return `the ${places[nth]} ${weekdayWords[weekday]} of ${month}`;
}

function yearWords(year: FieldSet): string {
  const years = year.list();
  return years.length <= 6
    ? listed(years.map(String))
    : `${years.length} years from ${years[0]} to ${years.at(-1)}`;
}
