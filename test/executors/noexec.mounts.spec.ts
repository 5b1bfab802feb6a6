import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ChronisExecutorsModule } from '../../lib/executors/index.js';
import { noexecMountIn } from '../../lib/executors/noexec.mounts.js';
import { NestApp } from '../support/nest.app.js';
import { until } from './until.js';

const table = `22 1 259:1 / / rw,relatime shared:1 - ext4 /dev/root rw
25 22 0:23 / /tmp rw,nosuid,noexec shared:4 - tmpfs tmpfs rw
26 25 0:24 / /tmp/may\\040run rw,nosuid - tmpfs tmpfs rw
27 22 0:25 / /data rw,noexec - tmpfs tmpfs rw
28 27 0:26 / /data rw - tmpfs tmpfs rw
`;

test.each([
  ['/tmp/a/tool', '/tmp'],
  ['/tmp', '/tmp'],
  ['/tmpfiles/tool', null],
  ['/tmp/may run/tool', null],
  ['/data/tool', null],
  ['/usr/bin/tool', null],
])('nothing may be executed from the mount of %s: %s', (path, folder) => {
  expect(noexecMountIn(table, path)).toBe(folder);
});

test('a system that says nothing of mounts has none of those', () => {
  expect(noexecMountIn('', '/tmp/a')).toBeNull();
});

let folder: string;
let mounted: string;
let canMount: boolean;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'chronis-noexec-'));
  chmodSync(folder, 0o755);
  mounted = join(folder, 'mounted');
  mkdirSync(mounted);
  canMount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'noexec,size=1m', 'x', mounted]).status === 0;
});
afterEach(() => {
  if (canMount) spawnSync('umount', [mounted]);
  rmSync(folder, { recursive: true });
});

test('a program that may be executed, but not from where it is, says so; one that may not says that', async ({
  skip,
}) => {
  if (!canMount) skip('This user may not mount, so nothing is tested with a mount.');
  const tool = join(mounted, 'tool');
  writeFileSync(tool, '#!/bin/sh\necho ran\n', { mode: 0o755 });
  const app = await NestApp.boot({
    imports: [ChronisExecutorsModule.forRoot({ command: { allow: [tool] } })],
  });
  try {
    const errorOf = async (): Promise<string | null> => {
      const { id } = await app.scheduler.schedule(
        { task: { type: 'execute_command', file: tool } },
        { in: 0 },
      );
      await app.settle();
      await until('it has failed', () =>
        app.told.some(({ name, event }) => name === 'run.failed' && 'jobId' in event && event.jobId === id),
      );
      const { items } = await app.scheduler.getAttempts({ jobId: id });
      return items[0]!.error;
    };
    expect(await errorOf()).toContain(
      `${tool} was not started: it lies on ${mounted}, which is mounted noexec: nothing may be executed from there. Have it elsewhere; for programs that jobs bring along give another folder (binary.folder, --binary-folder) (EACCES).`,
    );
    chmodSync(tool, 0o644);
    expect(await errorOf()).toContain(`${tool} was not started: this user may not execute it (EACCES).`);
  } finally {
    await app.close();
  }
});
