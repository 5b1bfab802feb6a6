import { cutText, shownText, textWidth } from './text.width.js';

/** A column of a table. */
export interface Column<Row> {
  title: string;
  of(row: Row): string;
  /** Numbers stand to the right. */
  right?: boolean;
  /** Colours a cell. */
  paint?(text: string, row: Row): string;
}

/** A table, put into lines. */
export interface TextTable {
  lines: string[];
  /** Titles of the columns that there was no room for. */
  leftOut: string[];
}

const gap = '  ';
/** A column is not cut to less. */
const narrowest = 6;

/** For a terminal of this width: columns are cut, the widest first; where that is not enough, the last ones are left out. */
export function textTable<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  width: number,
): TextTable {
  const cells = rows.map((row) => columns.map((column) => shownText(column.of(row))));
  const wanted = columns.map(({ title }, nth) =>
    Math.max(textWidth(title), ...cells.map((cell) => textWidth(cell[nth]!))),
  );
  const widths = fitted(wanted, width);
  const shown = columns.slice(0, widths.length);
  const line = (texts: readonly string[], paint: (text: string, nth: number) => string): string =>
    shown
      .map(({ right = false }, nth) => {
        const cut = cutText(texts[nth]!, widths[nth]!);
        const blank = ' '.repeat(widths[nth]! - textWidth(cut));
        const isLast = nth === shown.length - 1;
        return right ? blank + paint(cut, nth) : paint(cut, nth) + (isLast ? '' : blank);
      })
      .join(gap);
  return {
    lines: [
      line(
        columns.map(({ title }) => title),
        (title) => title,
      ).trimEnd(),
      ...cells.map((texts, row) =>
        line(texts, (text, nth) => shown[nth]!.paint?.(text, rows[row]!) ?? text).trimEnd(),
      ),
    ],
    leftOut: columns.slice(widths.length).map(({ title }) => title),
  };
}

/** For whatever reads it: a line for each row, tabs between, nothing cut. */
export function tabTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string[] {
  return [
    columns.map(({ title }) => title).join('\t'),
    ...rows.map((row) => columns.map((column) => shownText(column.of(row))).join('\t')),
  ];
}

function fitted(wanted: readonly number[], width: number): number[] {
  const widths = [...wanted];
  const total = (): number => widths.reduce((sum, each) => sum + each, 0) + gap.length * (widths.length - 1);
  while (widths.length > 1) {
    const least = widths.reduce((sum, each) => sum + Math.min(each, narrowest), 0);
    if (least + gap.length * (widths.length - 1) <= width) break;
    widths.pop();
  }
  while (total() > width) {
    const widest = widths.indexOf(Math.max(...widths));
    if (widths[widest]! <= 1) break;
    widths[widest]!--;
  }
  return widths;
}
