import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { longFlag } from '../../lib/cli/cli.command.js';
import { commands } from '../../lib/cli/command.list.js';
import { exitCodes } from '../../lib/cli/exit.codes.js';
import { globalOptions } from '../../lib/cli/global.options.js';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const page = read('docs/reference/command-line.md');
const section = (title: string): string => page.split(/^## /m).find((part) => part.startsWith(title))!;
const texts = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1]!);
const rows = (title: string): string[][] =>
  [...section(title).matchAll(/^\| (.*) \|$/gm)].slice(1).map((row) => row[1]!.split(' | '));

test('the reference of the command line lists exactly its commands', () => {
  const listed = rows('Commands').flatMap(([names]) => texts(names!).map((name) => name.split(/ [<[]/)[0]!));
  expect(listed.toSorted()).toEqual(commands.map(({ name }) => name).toSorted());
});

test('… with the arguments that they have', () => {
  const listed = rows('Commands').flatMap(([names]) => texts(names!));
  const known = commands.map((each) => [each.name, ...Object.keys(each.arguments ?? {})].join(' '));
  expect(listed.toSorted()).toEqual(known.toSorted());
});

test('… and exactly its variables, with their options', () => {
  const options = [
    ...Object.values(globalOptions),
    ...commands.flatMap((each) => Object.values(each.options)),
  ];
  const known = new Map(
    options.filter(({ variable }) => variable !== null).map((each) => [each.variable!, longFlag(each)]),
  );
  const listed = rows('Variables').map(([variable, option]) => [texts(variable!)[0], texts(option!)[0]]);
  expect(listed.length).toBeGreaterThan(5);
  expect(Object.fromEntries(listed)).toEqual(Object.fromEntries(known));
});

test('… and exactly its exit codes', () => {
  const listed = rows('Exit codes').flatMap(([codes]) => codes!.split(', ').map(Number));
  expect(listed).toEqual(Object.values(exitCodes));
});

test('options that commands share under a name mean the same', () => {
  const flags = new Map<string, string>();
  for (const { name, options } of commands) {
    const own = Object.values(options).map(longFlag);
    expect(new Set(own).size, name).toBe(own.length);
    const globals = Object.values(globalOptions).map(longFlag);
    expect(
      own.filter((each) => globals.includes(each)),
      name,
    ).toEqual([]);
  }
  const variables = commands.flatMap(({ options }) => Object.values(options)).filter((each) => each.variable);
  for (const option of variables) {
    expect(flags.get(option.variable!) ?? longFlag(option)).toBe(longFlag(option));
    flags.set(option.variable!, longFlag(option));
  }
});

const lines = [...[read('docs/guides/command-line.md'), page].join('\n').matchAll(/```sh\n([^]*?)```/g)]
  .flatMap((block) => block[1]!.split('\n'))
  .flatMap((line) =>
    [...line.replace(/ #.*/, '').matchAll(/\b(?:chronis|nestjs-chronis) ([a-z][^|&>"]*)/g)].map(
      (match) => match[1]!,
    ),
  );

test('what the guide types are commands with options that there are', () => {
  expect(lines.length).toBeGreaterThan(15);
  for (const line of lines) {
    const words = line
      .replace(/'[^']*'/g, 'x')
      .split(' ')
      .filter((word) => word !== '');
    const found = commands.find(({ name, isDefault }) => {
      const group = name.split(' ')[0]!;
      const isPlain = words[1] === undefined || words[1].startsWith('-');
      return (
        name === words.slice(0, name.split(' ').length).join(' ') ||
        (isDefault && isPlain && group === words[0])
      );
    });
    expect(found, line).toBeDefined();
    const flags = [...Object.values(found!.options), ...Object.values(globalOptions)].map(longFlag);
    for (const word of words.filter((each) => each.startsWith('--'))) expect(flags, line).toContain(word);
  }
});
