import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { SchedulerService } from '../../lib/index.js';

const page = readFileSync(new URL('../../docs/reference/scheduler-service.md', import.meta.url), 'utf8');
const rows = [...page.matchAll(/^\| `(\w+)` \| (.+) \| `(.+)` \|$/gm)];

test('the reference of the service lists exactly its methods', () => {
  const source = readFileSync(new URL('../../lib/scheduler/scheduler.service.ts', import.meta.url), 'utf8');
  const hidden = new Set([...source.matchAll(/^ {2}private (?:async )?(\w+)/gm)].map((match) => match[1]!));
  const methods = Object.getOwnPropertyNames(SchedulerService.prototype);
  const expected = methods.filter((name) => name !== 'constructor' && !hidden.has(name));
  expect(expected.length).toBeGreaterThan(30);
  expect(rows.map(([, name]) => name!).toSorted()).toEqual(expected.toSorted());
});

test('each method has an example that calls it', () => {
  for (const [, name, , example] of rows) expect(example).toMatch(new RegExp(`\\b${name}\\b`));
});
