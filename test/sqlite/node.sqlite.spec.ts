import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lockLaws, storageLaws } from '../../lib/testing/index.js';
import { compiledTests } from '../support/compiled.js';
import { nodeWithSqlite } from '../support/node.with.sqlite.js';

test(
  'the SQLite storage keeps the laws on node:sqlite, and tells damage from what else keeps a file from being read',
  { timeout: 600_000 },
  () => {
    const script = join(compiledTests(), 'test/sqlite/laws.process.js');
    const { stdout, stderr } = spawnSync(nodeWithSqlite(), ['--no-warnings', script], {
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    });
    expect(stderr).toBe('');
    const verdicts = JSON.parse(stdout) as [law: string, problem: string | null][];
    expect(verdicts).toHaveLength(storageLaws().length + lockLaws().length + 2);
    expect(verdicts.filter(([, problem]) => problem !== null)).toEqual([]);
  },
);
