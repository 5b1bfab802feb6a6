import { weekdayNames } from './cron.field.js';
import type { FieldSet } from './field.set.js';
import type { FieldText } from './field.text.js';

/** Whether a text uses L, W, # or ? rather than being a number, a name or a range of them. */
export function looksSpecial({ text, spec }: FieldText): boolean {
  if (signs.some((sign) => sign.test(text))) return true;
  if (spec.kind === 'weekday') return /^[A-Z]{3}L(?:[^A-Z]|$)/i.test(text);
  return spec.kind === 'day' && spec.words && /^(?:last|\d*(?:st|nd|rd|th))(?:[ \t]|$)/i.test(text);
}

const signs = [/[#?]/, /^[LW]+(?:[^A-Z]|$)/i, /\d[LW]/i, /-[LW]+$/i];

/** Adds L, LW, L-n, nW to a day, nL and n#k to a weekday; the words of the fields object to its day. */
export function addSpecial(set: FieldSet, text: FieldText): void {
  const known =
    set.spec.kind === 'day' ? addDay(set, text) : set.spec.kind === 'weekday' ? addWeekday(set, text) : false;
  if (!known) text.refuse('bad-special', `is not understood in the ${set.spec.name}`, hints[set.spec.kind]);
}

const hints = {
  day: 'A day may be L, LW, L-n (n 1–30) or nW, without ranges and steps.',
  weekday: 'A weekday may be nL (the last) or n#k (the k-th, k 1–5), without ranges and steps.',
  time: 'L, W, # and ? belong to day and weekday.',
  date: 'L, W, # and ? belong to day and weekday.',
};

function addDay(set: FieldSet, text: FieldText): boolean {
  if (text.spec.words && addWords(set, text)) return true;
  if (/^LW$/i.test(text.text)) return (set.lastWorkday = true);
  const last = /^L(?:-([0-9]+))?$/i.exec(text.text);
  if (last) {
    const before = Number(last[1] ?? 0);
    if (last[1] !== undefined && (before < 1 || before > 30)) return false;
    set.fromLast |= 1 << before;
    return true;
  }
  const nearest = /^([0-9]+)W$/i.exec(text.text);
  if (!nearest) return false;
  set.nearest |= 1 << text.part(0, nearest[1]!.length).value();
  return true;
}

/** `last`, `last fri`, `2nd mon` */
function addWords(set: FieldSet, text: FieldText): boolean {
  const words = /^(last|[0-9]+(?:st|nd|rd|th))(?:[ \t]+([^ \t]+))?$/i.exec(text.text);
  if (!words) return false;
  const place = words[1]!.toLowerCase();
  if (words[2] === undefined) {
    if (place !== 'last') return false;
    set.fromLast |= 1;
    return true;
  }
  const weekday = weekdayNames.get(words[2].toUpperCase());
  if (weekday === undefined) {
    return text
      .part(text.text.length - words[2].length)
      .refuse('bad-name', 'is not a weekday', 'Write for example "last fri" or "2nd mon".');
  }
  const nth = place === 'last' ? 0 : ['1st', '2nd', '3rd', '4th', '5th'].indexOf(place) + 1;
  if (nth === 0 && place !== 'last') return false;
  set.nth.push({ weekday, nth });
  return true;
}

function addWeekday(set: FieldSet, text: FieldText): boolean {
  const last = /^([A-Z]+|[0-9]+)L$/i.exec(text.text);
  const nth = /^([A-Z]+|[0-9]+)#([0-9]+)$/i.exec(text.text);
  const weekday = (last ?? nth)?.[1];
  if (weekday === undefined) return false;
  if (/[0-9]/.test(weekday)) set.numbered = true;
  const place = set.place(text.part(0, weekday.length).value());
  if (nth) {
    const k = Number(nth[2]);
    if (k < 1 || k > 5) return false;
    set.nth.push({ weekday: place, nth: k });
  } else {
    set.nth.push({ weekday: place, nth: 0 });
  }
  return true;
}
