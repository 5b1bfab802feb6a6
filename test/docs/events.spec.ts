import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { pages, root, textOf } from './pages.js';

/** The events with their fields, as the compiler sees them; `run` for those that all run events have. */
function eventsOfTheCode(): Record<string, string[]> {
  const path = `${root}lib/events/event.map.ts`;
  const module = { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext };
  const program = ts.createProgram([path], { strict: true, noEmit: true, ...module });
  const checker = program.getTypeChecker();
  const declared = program.getSourceFile(path)!.statements.filter((each) => ts.isInterfaceDeclaration(each));
  const named = (name: string) => declared.find((each) => each.name.text === name)!;
  const fieldsOf = (node: ts.Node) =>
    checker
      .getTypeAtLocation(node)
      .getProperties()
      .map((property) => property.name);
  const run = fieldsOf(named('RunEvent'));
  const entries = named('ChronisEventMap').members.map((member) => {
    const fields = fieldsOf(member);
    const own = run.every((field) => fields.includes(field))
      ? ['run', ...fields.filter((field) => !run.includes(field))]
      : fields;
    return [(member.name as ts.StringLiteral).text, own.toSorted()] as const;
  });
  return Object.fromEntries([...entries, ['run', run.toSorted()]]);
}

function eventsOfTheReference(): Record<string, string[]> {
  const text = readFileSync(`${root}docs/reference/events.md`, 'utf8');
  const namesIn = (list: string) => Array.from(list.matchAll(/`(\w+)`/g), ([, name]) => name!);
  const rows = Array.from(text.matchAll(/^\| `([\w.-]+)` \| ?(.*?) \| (.+) \|$/gm), ([, name, fields]) => {
    const run = fields!.startsWith('run') ? ['run'] : [];
    return [name!, [...run, ...namesIn(fields!)].toSorted()] as const;
  });
  const run = /every run event: (.*?)\./s.exec(text)![1]!;
  return Object.fromEntries([...rows, ['run', namesIn(run).toSorted()]]);
}

/** What is called on a service of this name, as `workflows.retry`. */
function methodsOf(name: string, file: string): string[] {
  const text = readFileSync(`${root}${file}`, 'utf8');
  return Array.from(text.matchAll(/^ {2}(?:async )?(\w+)[<(]/gm), ([, method]) => `${name}.${method}`);
}

test('the reference of events lists exactly the events and fields of the code', () => {
  const code = eventsOfTheCode();
  expect(Object.keys(code).length).toBeGreaterThan(30);
  expect(eventsOfTheReference()).toEqual(code);
});

test('every event that the pages name is one', () => {
  const known = new Set(Object.keys(eventsOfTheCode()));
  const topics = new Set([...known].map((name) => name.split('.')[0]!));
  // The guides for those who come from elsewhere name what others have.
  const own = pages.filter((page) => !page.includes('coming-from'));
  const named = own.flatMap((page) =>
    [...textOf(page).matchAll(/[`'](\w[\w-]*)\.([a-z][a-z_-]*)[`']/g)].map(
      ([, topic, rest]) => [page, topic!, rest!] as const,
    ),
  );
  const methods = new Set(['clock.advance', ...methodsOf('workflows', 'lib/workflows/workflow.service.ts')]);
  const endingsOfFiles = new Set(['db', 'json', 'xml', 'yaml']);
  const events = named.filter(
    ([, topic, rest]) => topics.has(topic) && !methods.has(`${topic}.${rest}`) && !endingsOfFiles.has(rest),
  );
  expect(events.length).toBeGreaterThan(50);
  const unknown = events.filter(([, topic, rest]) => !known.has(`${topic}.${rest}`));
  expect(unknown).toEqual([]);
});
