import { describe, expect, test } from 'vitest';

interface Result {
  system: string;
  setting: string;
  measure: string;
  median: number;
  min: number;
  max: number;
  unit: string;
  better: 'more' | 'less' | null;
  runs: number[];
}
type Sample = Pick<Result, 'system' | 'setting' | 'measure' | 'unit' | 'better'> & { value: number };

const load = async <T>(file: string): Promise<T> =>
  (await import(new URL(`../../bench/${file}`, import.meta.url).href)) as T;
const { readArguments, peerNames } = await load<{
  readArguments: (argv: string[]) => Record<string, unknown>;
  peerNames: string[];
}>('arguments.mjs');
const { median, quantile, ratio, summarize } = await load<{
  median: (values: number[]) => number;
  quantile: (values: number[], share: number) => number;
  ratio: (ours: Result, peer: Result) => number | null;
  summarize: (samples: Sample[]) => Result[];
}>('figures.mjs');
const { shown, tables } = await load<{
  shown: (value: number) => string;
  tables: (results: Result[], keeps?: Record<string, string>) => string;
}>('table.mjs');

describe('the arguments of the bench', () => {
  test('a suite alone runs with everybody, as often as the suite thinks right', () => {
    expect(readArguments(['drain'])).toEqual({
      suite: 'drain',
      quick: false,
      peers: peerNames,
      rounds: null,
      jobs: null,
      runs: null,
      settings: [],
      json: null,
      url: null,
    });
  });

  test('all options are read', () => {
    const argv = ['lag', '--quick', '--peers', 'agenda, pg-boss', '--rounds', '7', '--settings', '1 process'];
    argv.push('--jobs', '2000', '--runs', '50000');
    expect(readArguments([...argv, '--json', 'out.json', '--url', 'postgres://db/x'])).toEqual({
      suite: 'lag',
      quick: true,
      peers: ['agenda', 'pg-boss'],
      rounds: 7,
      jobs: 2_000,
      runs: 50_000,
      settings: ['1 process'],
      json: 'out.json',
      url: 'postgres://db/x',
    });
  });

  test('no peers', () => expect(readArguments(['drain', '--peers', 'none'])).toMatchObject({ peers: [] }));

  test.each([
    [[], 'Name one suite, not 0.'],
    [['drain', 'lag'], 'Name one suite, not 2.'],
    [['drian'], 'There is no suite "drian".'],
    [['drain', '--peers', 'bull'], 'There is no peer "bull".'],
    [['operate', '--jobs', '10'], '--jobs takes a whole number from 1000 to 100000000, not "10"'],
    [['drain', '--rounds', '0'], 'a whole number from 1 to 1000, not "0"'],
    [['drain', '--fast'], "Unknown option '--fast'"],
  ])('%j is refused', (argv, message) => expect(() => readArguments(argv)).toThrow(message));
});

describe('the figures of the bench', () => {
  const sample = (system: string, value: number, better: Result['better'] = 'more'): Sample => ({
    system,
    setting: '1 process',
    measure: '50 jobs',
    value,
    unit: 'jobs/s',
    better,
  });

  test('the median of an even number is the mean of the two in the middle', () => {
    expect(median([9, 1, 3])).toBe(3);
    expect(median([10, 1, 9, 3])).toBe(6);
  });

  test('a quantile is one of the values', () => {
    const values = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect(quantile(values, 0.5)).toBe(51);
    expect(quantile(values, 0.99)).toBe(100);
    expect(quantile([], 0.5)).toBeNaN();
  });

  test('runs of the same system, setting and measure become one result', () => {
    const results = summarize([sample('chronis', 30), sample('agenda', 5), sample('chronis', 10)]);
    expect(results).toEqual([
      expect.objectContaining({ system: 'chronis', median: 20, min: 10, max: 30, runs: [30, 10] }),
      expect.objectContaining({ system: 'agenda', median: 5, min: 5, max: 5, runs: [5] }),
    ]);
  });

  test('a ratio above one means that ours is ahead, whichever way is better', () => {
    const [ours, peer] = summarize([sample('chronis', 30), sample('agenda', 10)]);
    expect(ratio(ours, peer)).toBe(3);
    expect(ratio({ ...ours, better: 'less' }, { ...peer, better: 'less' })).toBeCloseTo(1 / 3);
    expect(ratio({ ...ours, better: null }, { ...peer, better: null })).toBeNull();
  });

  test('there is no ratio to nothing', () => {
    const [ours, peer] = summarize([sample('chronis', 30), sample('agenda', 0)]);
    expect(ratio(ours, peer)).toBeNull();
  });

  test('the table has the spread, the ratio, and what each system keeps', () => {
    const results = summarize([
      sample('chronis', 30_000),
      sample('chronis', 20_000),
      sample('agenda', 10_000),
    ]);
    expect(tables(results, { agenda: 'nothing' })).toBe(
      [
        '**1 process: 50 jobs** (jobs/s)',
        '',
        '| system | median of 2 | min – max | chronis is ahead | keeps |',
        '| --- | ---: | ---: | ---: | --- |',
        '| chronis | 25 000 | 20 000 – 30 000 |  |  |',
        '| agenda | 10 000 | 10 000 – 10 000 | 2.50 × | nothing |',
        '',
      ].join('\n'),
    );
  });

  test.each([
    [0.1234, '0.12'],
    [12.34, '12.3'],
    [7, '7'],
    [1234.5, '1 235'],
    [Infinity, '–'],
  ])('%d is shown as %s', (value, text) => expect(shown(value)).toBe(text));
});
