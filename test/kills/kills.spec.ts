import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { compiledTests } from '../support/compiled.js';
import { temporaryFolder } from '../support/file.subject.js';
import { killRun } from './kill.run.js';

test.each([
  ['jobs.json', 12],
  ['jobs.yaml', 5],
  ['jobs.xml', 5],
  ['jobs.db', 6],
])(
  'a process that writes to %s and is killed, %i times, loses nothing that was acknowledged',
  { timeout: 180_000 },
  async (name, count) => {
    const script = join(compiledTests(), 'test/kills/kill.process.js');
    const folder = temporaryFolder();
    const { calls, violations } = await killRun(script, join(folder, name), count, 17);
    expect(violations).toEqual([]);
    expect(calls).toBeGreaterThan(count);
    rmSync(folder, { recursive: true });
  },
);
