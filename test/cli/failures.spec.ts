import { expect, test } from 'vitest';
import { fileStorage } from '../../lib/file/index.js';
import type { StorageAdapter } from '../../lib/index.js';
import { newJob } from '../support/engine.js';
import { chronis, document, inFolder } from './cli.call.js';

const kind = 'a1b2c3d4e5f60718';

/** One that has given up. */
async function withFailure(path: string): Promise<void> {
  const storage = (await fileStorage({ path }).create()) as StorageAdapter;
  await storage.init();
  const can = { queues: ['default'], handlers: ['work'], app: 'shop' };
  const about = { name: 'w', generation: null, host: 'h', pid: 1, version: '1', zoneData: '2025b' };
  await storage.register({ id: 'w', ...about, ...can, retention: null }, 60_000);
  await storage.insertJobs(
    [newJob(Date.now() - 1_000, { id: 'order', handler: 'work', app: null })],
    'raise',
  );
  const { runs } = await storage.claim({ workerId: 'w', ...can }, 10);
  const now = Date.now();
  const ended = { outcome: 'failed', startedAt: now, finishedAt: now, retryAt: null, result: null } as const;
  const settlements = runs.map(({ id: runId, fence, worker }) => ({ runId, fence, worker, ...ended }));
  await storage.settle(
    settlements.map((each) => ({
      ...each,
      error: 'Error: outer\n  cause: Error: inner\n    at work (/app/a.js:1:1)',
      fingerprint: kind,
    })),
  );
  await storage.unregister('w');
  await storage.close();
}

test('failures are grouped, shown and retried by their kind', async () => {
  await inFolder(async (folder) => {
    await withFailure(`${folder}/jobs.yaml`);
    const at = ['--storage', `file:${folder}/jobs.yaml`];
    const { failures, countedFrom } = await document(['runs', 'failures', ...at]);
    expect(countedFrom).toBeNull();
    expect(failures).toMatchObject([{ fingerprint: kind, handler: 'work', attempts: 1, gaveUp: 1 }]);
    const { stdout } = await chronis(['runs', 'failures', ...at]);
    expect(stdout).toContain(kind);
    expect(stdout).toContain('Error: outer');
    const shown = await chronis(['runs', 'show', failures[0].sample.runId, ...at]);
    expect(shown.stdout).toMatch(new RegExp(`fingerprint\\s+${kind}`));
    expect(shown.stdout).toContain('cause: Error: inner');
    const later = ['--new-since', '2000-01-01T00:00Z', '--to', '2000-01-02T00:00Z'];
    expect((await document(['runs', 'failures', ...later, ...at])).failures).toEqual([]);
    const ofKind = ['--all', '--fingerprint', kind, ...at];
    expect((await chronis(['runs', 'retry', '--dry-run', ...ofKind])).stdout).toBe(
      '1 run would be retried.\n',
    );
    const ofNone = ['--all', '--fingerprint', '0'.repeat(16), ...at];
    expect((await chronis(['runs', 'retry', ...ofNone])).stdout).toBe('0 runs retried.\n');
    expect((await chronis(['runs', 'discard', '--yes', ...ofKind])).stdout).toBe('1 run discarded.\n');
    const { code, stderr } = await chronis(['runs', 'retry', '--all', '--fingerprint', 'x', ...at]);
    expect(code).not.toBe(0);
    expect(stderr).toContain('16 hex digits');
  });
});
