import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { compiledTests } from '../support/compiled.js';

let folder: string;
beforeAll(() => {
  folder = compiledTests();
});

test('on SIGTERM, with shutdown hooks, a process lets its run finish and ends', async () => {
  const child = fork(join(folder, 'test/module/draining.process.js'));
  const said: unknown[] = [];
  child.on('message', (message) => {
    said.push(message);
    if (message === 'started') child.kill('SIGTERM');
  });
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  expect(said).toEqual(['started', 'finished']);
  // Nest repeats the signal when everything is closed.
  expect({ code, signal }).toEqual({ code: null, signal: 'SIGTERM' });
});
