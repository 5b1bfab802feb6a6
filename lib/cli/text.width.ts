// How much room text takes in a terminal.

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });
const plain = /^[\x20-\x7e]*$/;
/** Of East Asian scripts, in full width, and pictures. */
const wide =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1b000}-\u{1b2ff}\u{1f200}-\u{1f2ff}\u{20000}-\u{3fffd}]/u;
const picture = /^\p{Emoji_Presentation}|^\p{Extended_Pictographic}\ufe0f|^[\u{1f1e6}-\u{1f1ff}]{2}/u;
const without = /^[\p{Mn}\p{Me}\p{Cf}]+$/u;
/** Control characters, those that turn the direction of text around, and those without a width that no script needs. */
const unseen = /[\p{Cc}\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]/gu;

const unseenOfLine = /(?!\t)[\p{Cc}\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]/gu;
const indent = '    ';

/** In columns. */
export function textWidth(text: string): number {
  if (plain.test(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemes.segment(text)) width += graphemeWidth(segment);
  return width;
}

/** The text, cut to so many columns; `…` is its last one then. */
export function cutText(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  if (width < 1) return '';
  let cut = '';
  let left = width - 1;
  for (const { segment } of graphemes.segment(text)) {
    left -= graphemeWidth(segment);
    if (left < 0) break;
    cut += segment;
  }
  return `${cut}…`;
}

/** As text that a terminal shows and does not obey, in one line. */
export function shownText(text: string): string {
  return text.replace(/\r\n|[\t\n\r]/g, ' ').replace(unseen, '\ufffd');
}

/** The same of text that may have several lines: those after the first are indented, so that nobody takes them for lines of their own. */
export function shownLines(text: string): string {
  return text
    .split(/\r\n|[\n\v\f\r\u0085\u2028\u2029]/)
    .map(
      (line, nth) =>
        (nth > 0 && !line.startsWith(indent) ? indent : '') + line.replace(unseenOfLine, '\ufffd'),
    )
    .join('\n');
}

function graphemeWidth(grapheme: string): number {
  if (without.test(grapheme)) return 0;
  return wide.test(grapheme) || picture.test(grapheme) ? 2 : 1;
}
