import { longFlag } from './cli.command.js';
import type { CliOption } from './cli.option.js';

type Env = Readonly<Record<string, string | undefined>>;

/** What commands of jobs get, so this program may as well, when a job calls it. */
const ofRuns = [
  'CHRONIS_RUN_ID',
  'CHRONIS_WORKER',
  'CHRONIS_BEGIN',
  'CHRONIS_JOB_ID',
  'CHRONIS_ATTEMPT',
  'CHRONIS_NOMINAL_AT',
];
/** A name with more letters wrong is another one. */
const mostWrong = 3;

/** What is to be told of variables that nobody reads. */
export function unknownVariables(env: Env, options: readonly CliOption[]): string[] {
  const known = new Map(options.flatMap((each) => (each.variable === null ? [] : [[each.variable, each]])));
  return Object.keys(env)
    .filter((name) => name.startsWith('CHRONIS_') && !name.startsWith('CHRONIS_TEST_'))
    .filter((name) => !known.has(name) && !ofRuns.includes(name))
    .toSorted()
    .map((name) => {
      const near = nearest(name, [...known.keys()]);
      const hint = near === null ? '' : ` Did you mean ${near} (${longFlag(known.get(near)!)})?`;
      return `There is no variable ${name}: nothing reads it.${hint}`;
    });
}

function nearest(name: string, known: readonly string[]): string | null {
  const found = known
    .map((each) => ({ each, wrong: distance(name, each) }))
    .toSorted((one, other) => one.wrong - other.wrong)[0];
  return found !== undefined && found.wrong <= mostWrong ? found.each : null;
}

/** How many letters have to be changed, added or taken away. */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, nth) => nth);
  for (let i = 1; i <= one.length; i++) {
    const next = [i];
    for (let j = 1; j <= other.length; j++) {
      const same = one[i - 1] === other[j - 1] ? 0 : 1;
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + same));
    }
    row = next;
  }
  return row[other.length]!;
}
