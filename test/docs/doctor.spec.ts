import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { findingCodes } from '../../lib/typeorm/doctor/finding.codes.js';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

test('the reference of the doctor lists exactly its codes, in their order', () => {
  const page = read('docs/reference/doctor.md');
  const listed = [...page.matchAll(/^\| `((?:doctor|health)\.[\w-]+)` \|/gm)].map(([, code]) => code);
  expect(listed).toEqual([...findingCodes]);
});

test('the guide lists exactly the options that diagnose() adds', () => {
  const source = /interface DiagnoseOptions \{([\s\S]*?)\n\}/.exec(
    read('lib/typeorm/doctor/diagnosis.ts'),
  )![1]!;
  const options = [...source.matchAll(/^ {2}(\w+)\?:/gm)].map(([, name]) => name);
  const listed = [...read('docs/guides/doctor.md').matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name);
  expect(listed).toEqual(options);
});
