import { expect, test } from 'vitest';
import {
  handlerDefinitionKeys,
  startKeys,
  workflowDefinitionKeys,
} from '../../lib/definitions/definition.options.js';
import { DefinitionService } from '../../lib/index.js';
import { textOf } from './pages.js';

const page = textOf('docs/reference/definition-service.md');

/** What stands in backquotes in a section. */
function named(heading: string): string[] {
  const section = page.split(/^## /m).find((part) => part.startsWith(heading))!;
  return [...section.matchAll(/`(\w+)`/g)].map((match) => match[1]!).toSorted();
}

test('the reference of the service lists exactly its methods, each with an example', () => {
  const rows = [...page.matchAll(/^\| `(\w+)` \| .+ \| `(\w+)\(.*`? \|$/gm)];
  const methods = Object.getOwnPropertyNames(DefinitionService.prototype).filter(
    (name) => !['constructor', 'found'].includes(name),
  );
  expect(rows.map(([, name]) => name!).toSorted()).toEqual(methods.toSorted());
  for (const [, name, called] of rows) expect(called).toBe(name);
});

test('the reference lists exactly what a definition and a start may say', () => {
  const aliases = ['ifMissed', 'if_missed'];
  const listed = (keys: readonly string[]): string[] =>
    keys.filter((key) => !aliases.includes(key)).toSorted();
  expect(named('What a definition may say')).toEqual(listed(handlerDefinitionKeys));
  expect(named('What a workflow may say')).toEqual(listed(workflowDefinitionKeys));
  expect(named('What a start may say')).toEqual([...startKeys].toSorted());
});
