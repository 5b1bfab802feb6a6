import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { SchedulerService } from '../../lib/index.js';
import { gapVerdicts, outcomes } from '../../lib/model/retention.js';
import { jobFilterKeys, jobStates } from '../../lib/scheduler/job.query.js';
import { attemptFilterKeys, runFilterKeys, runStates } from '../../lib/scheduler/run.query.js';

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

test.each([
  ['queryJobs', jobFilterKeys],
  ['getRuns', runFilterKeys],
  ['getAttempts', attemptFilterKeys],
])('the reference lists exactly the conditions of %s', (method, keys) => {
  const section = page.slice(page.indexOf(`\n**\`${method}\``)).slice(1);
  const table = /\|---\|---\|\n((?:\|.*\n)+)/.exec(section)![1]!;
  const listed = table.split('\n').flatMap((line) => line.split('|')[1]?.split(',') ?? []);
  expect(listed.map((name) => name.trim()).toSorted()).toEqual([...keys].toSorted());
});

test('the reference names the states, verdicts and outcomes that queries take', () => {
  for (const name of [...jobStates, ...runStates, ...outcomes, ...gapVerdicts]) {
    expect(page.slice(page.indexOf('## Arguments')), name).toContain(`\`${name}\``);
  }
});

test('the reference lists exactly the causes of explanations', () => {
  const source = readFileSync(new URL('../../lib/scheduler/explanation.ts', import.meta.url), 'utf8');
  const type = /type ExplainedCause =([\s\S]*?);/.exec(source)![1]!;
  const causes = [...type.matchAll(/'([\w-]+)'/g)].map(([, cause]) => cause!);
  const section = page.slice(page.indexOf('\n| cause | what'));
  const listed = [...section.matchAll(/^\| (`.*?`) \|/gm)].flatMap(([, cell]) => cell!.match(/[\w-]+/g)!);
  expect(listed.toSorted()).toEqual(causes.toSorted());
});

test('each method has an example that calls it', () => {
  for (const [, name, , example] of rows) expect(example).toMatch(new RegExp(`\\b${name}\\b`));
});
