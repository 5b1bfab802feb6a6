import { describe, expect, test } from 'vitest';
import { textTable, type Column } from '../../lib/cli/text.table.js';
import { cutText, shownText, textWidth } from '../../lib/cli/text.width.js';

describe('the width of text', () => {
  test.each([
    ['plain', 5],
    ['', 0],
    ['żółw', 4],
    ['e\u0301', 1],
    ['서울', 4],
    ['日報', 4],
    ['ｆｕｌｌ', 8],
    ['🚀', 2],
    ['👩‍👩‍👧', 2],
    ['🇵🇹', 2],
    ['→', 1],
  ])('of %j is %i', (text, width) => expect(textWidth(text)).toBe(width));

  test.each([
    ['daily-report', 6, 'daily…'],
    ['daily', 5, 'daily'],
    ['서울특별시', 6, '서울…'],
    ['서울특별시', 5, '서울…'],
    ['🚀🚀🚀', 4, '🚀…'],
    ['abc', 0, ''],
  ])('%j is cut to %i as %j', (text, width, cut) => {
    expect(cutText(text, width)).toBe(cut);
    expect(textWidth(cut)).toBeLessThanOrEqual(width);
  });

  test('a terminal is shown what it would obey', () => {
    expect(shownText('a\u001b[31mred\nb\tc\u202e')).toBe('a\ufffd[31mred b c\ufffd');
  });
});

interface Row {
  id: string;
  state: string;
  runs: number;
}

const columns: Column<Row>[] = [
  { title: 'ID', of: ({ id }) => id },
  { title: 'STATE', of: ({ state }) => state },
  { title: 'RUNS', of: ({ runs }) => String(runs), right: true },
];
const rows = [
  { id: 'daily-sales-report', state: 'scheduled', runs: 1200 },
  { id: '서울-일보', state: 'paused', runs: 7 },
];

describe('a table', () => {
  test('that fits is shown as it is', () => {
    expect(textTable(columns, rows, 80)).toEqual({
      lines: [
        'ID                  STATE      RUNS',
        'daily-sales-report  scheduled  1200',
        '서울-일보           paused        7',
      ],
      leftOut: [],
    });
  });

  test('that is too wide loses of its widest column first', () => {
    expect(textTable(columns, rows, 27).lines).toEqual([
      'ID          STATE      RUNS',
      'daily-sal…  scheduled  1200',
      '서울-일보   paused        7',
    ]);
  });

  test('that is much too wide loses its last columns, and tells which', () => {
    const { lines, leftOut } = textTable(columns, rows, 16);
    expect(leftOut).toEqual(['RUNS']);
    expect(lines).toEqual(['ID       STATE', 'daily-…  schedu…', '서울-…   paused']);
  });

  test.each([80, 40, 20, 10, 3, 1])('is never wider than a terminal of %i', (width) => {
    for (const line of textTable(columns, rows, width).lines)
      expect(textWidth(line), line).toBeLessThanOrEqual(width);
  });
});
