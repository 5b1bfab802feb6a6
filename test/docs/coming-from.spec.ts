import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import * as main from '../../lib/index.js';
import * as http from '../../lib/http/index.js';
import * as jobFiles from '../../lib/job-files/index.js';
import { SchedulerService } from '../../lib/index.js';
import * as schedule from '../../lib/schedule/index.js';
import * as testing from '../../lib/testing/index.js';
import * as typeorm from '../../lib/typeorm/index.js';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const page = read('docs/guides/coming-from.md');
/** The right-hand side of every row: what is said to be here. */
const rows = [...page.matchAll(/^\| .* \| (.*) \|$/gm)].map((match) => match[1]!);

test('the guide for those who come from elsewhere calls methods that SchedulerService has', () => {
  const names = rows.flatMap((row) => [...row.matchAll(/`scheduler\.(\w+)/g)].map((match) => match[1]!));
  expect(names.length).toBeGreaterThan(50);
  for (const name of new Set(names)) {
    expect(Reflect.get(SchedulerService.prototype, name), `scheduler.${name}`).toBeTypeOf('function');
  }
});

test('… names classes and decorators that the package exports', () => {
  const doors = { ...main, ...http, ...jobFiles, ...schedule, ...testing, ...typeorm };
  const names = rows.flatMap((row) =>
    [...row.matchAll(/`@?([A-Z][a-z]\w+)[`(.]/g)].map((match) => match[1]!),
  );
  expect(names.length).toBeGreaterThan(30);
  // Of Nest's own, of the language, and a name of the other side.
  const known = new Set(['Date']);
  for (const name of new Set(names)) expect(known.has(name) || name in doors, name).toBe(true);
});

test('… names states and options that the reference lists', () => {
  const options = new Set(
    [...read('docs/reference/options.md').matchAll(/`(\w+)`/g)].map((match) => match[1]!),
  );
  const names = rows.flatMap((row) => [...row.matchAll(/`(\w+): /g)].map((match) => match[1]!));
  expect(names.length).toBeGreaterThan(20);
  for (const name of new Set(names)) expect(options.has(name), name).toBe(true);
});
