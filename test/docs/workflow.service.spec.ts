import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { WorkflowService } from '../../lib/index.js';

const root = new URL('../../', import.meta.url);
const page = readFileSync(new URL('docs/reference/workflow-service.md', root), 'utf8');
const rows = [...page.matchAll(/^\| `(\w+)` \| (.+) \| `(.+)` \|$/gm)];

test('the reference of workflows lists exactly the methods of the service', () => {
  const source = readFileSync(new URL('lib/workflows/workflow.service.ts', root), 'utf8');
  const hidden = new Set([...source.matchAll(/^ {2}private (?:async )?(\w+)/gm)].map((match) => match[1]!));
  const internal = ['constructor', 'assertIn'];
  const methods = Object.getOwnPropertyNames(WorkflowService.prototype);
  const expected = methods.filter((name) => !internal.includes(name) && !hidden.has(name));
  expect(expected.length).toBeGreaterThan(10);
  expect(rows.map(([, name]) => name!).toSorted()).toEqual(expected.toSorted());
});

test('each method of workflows has an example that calls it', () => {
  for (const [, name, , example] of rows) expect(example).toMatch(new RegExp(`\\b${name}\\b`));
});
