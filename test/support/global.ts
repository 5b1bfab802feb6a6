import { randomUUID } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { startPostgres } from './postgres.js';

/**
 * Starts one PostgreSQL for all spec files and names it in CHRONIS_TEST_URL, which forked test processes inherit. A server that
 * CHRONIS_TEST_URL or DATABASE_URL names is used instead.
 */
export async function setup(): Promise<(() => Promise<void>) | undefined> {
  process.env.CHRONIS_TEST_RUN = `${process.pid}.${randomUUID()}`;
  forgetFormerRuns();
  const given = process.env.CHRONIS_TEST_URL || process.env.DATABASE_URL;
  if (given) {
    process.env.CHRONIS_TEST_URL = given;
    return undefined;
  }
  // Tests kill processes, not machines: what the kernel has got is not lost.
  // Two files at once have dozens of applications on it.
  const postgres = await startPostgres({ settings: { fsync: 'off', max_connections: '400' } });
  process.env.CHRONIS_TEST_URL = postgres.url;
  return async () => {
    delete process.env.CHRONIS_TEST_URL;
    await postgres.stop();
  };
}

/** What `compiledTests` has noted, but for runs that go on beside this one: their processes start from these files. */
function forgetFormerRuns(): void {
  const out = resolve(import.meta.dirname, '../../out');
  try {
    for (const name of readdirSync(out)) {
      const pid = /^test\.(\d+)\..*\.done$/.exec(name)?.[1];
      if (pid !== undefined && !isAlive(Number(pid))) rmSync(join(out, name));
    }
  } catch {
    // Nothing was compiled yet.
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
