import { expect, test } from 'vitest';
import { fileStorage } from '../../lib/file/index.js';
import type { Hold, StorageAdapter } from '../../lib/index.js';
import { newJob } from '../support/engine.js';
import { chronis, document, inFolder } from './cli.call.js';

const at = Date.UTC(2026, 0, 1);

/** One that is executed. */
async function begun(path: string): Promise<{ storage: StorageAdapter; runId: string } & Hold> {
  const storage = (await fileStorage({ path }).create()) as StorageAdapter;
  await storage.init();
  const can = { queues: ['default'], handlers: ['work'], app: 'shop' };
  const about = { name: 'w', generation: null, host: 'h', pid: 1, version: '1', zoneData: '2025b' };
  await storage.register({ id: 'w', ...about, ...can, retention: null }, 60_000);
  await storage.insertJobs(
    [newJob(Date.now() - 1_000, { id: 'order', handler: 'work', app: null })],
    'raise',
  );
  const [run] = (await storage.claim({ workerId: 'w', ...can }, 10)).runs;
  const { id: runId, fence, worker } = run!;
  return { storage, runId, fence, worker };
}

/** One that has ended, and its log. */
async function withLog(path: string): Promise<string> {
  const { storage, runId, fence, worker } = await begun(path);
  const lines = [
    { at, level: 'log' as const, message: 'charged', fields: { amount: 5 } },
    { at, level: 'error' as const, message: 'Error: no\n    at work (/app/a.js:1:1)', cut: true as const },
  ];
  await storage.runLogs!.append([
    { runId, fence, worker, attempt: 1, part: 0, lines, bytes: 99, dropped: 3 },
  ]);
  const ended = { outcome: 'succeeded', retryAt: null, error: null, result: null } as const;
  await storage.settle([{ runId, fence, worker, startedAt: at, finishedAt: at, ...ended }]);
  await storage.unregister('w');
  await storage.close();
  return runId;
}

test('the log of a run is shown, in pages, by level, and to its end', async () => {
  await inFolder(async (folder) => {
    const runId = await withLog(`${folder}/jobs.yaml`);
    const at = ['--storage', `file:${folder}/jobs.yaml`];
    const lines = [
      '… 3 lines are not kept',
      '2026-01-01T00:00:00.000Z LOG     charged {"amount":5}',
      '2026-01-01T00:00:00.000Z ERROR   Error: no (cut)',
      '      at work (/app/a.js:1:1)',
      '',
    ];
    expect((await chronis(['runs', 'log', runId, ...at])).stdout).toBe(lines.join('\n'));
    // It is over, so there is nothing to wait for.
    expect((await chronis(['runs', 'log', runId, '--follow', ...at])).stdout).toBe(lines.join('\n'));
    const { log, cursor, tail } = await document(['runs', 'log', runId, '--limit', '1', ...at]);
    expect(log).toMatchObject([{ message: 'charged', fields: { amount: 5 }, dropped: 3 }]);
    expect(cursor).toBe(tail);
    expect((await document(['runs', 'log', runId, '--cursor', cursor, ...at])).log).toHaveLength(1);
    expect((await document(['runs', 'log', runId, '--level', 'error', ...at])).log).toHaveLength(1);
    const none = await chronis(['runs', 'log', '404', ...at]);
    expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('There is no run "404"')]);
    const endless = await chronis(['runs', 'log', runId, '--follow', '--json', ...at]);
    expect([endless.code, endless.stdout]).toEqual([64, expect.stringContaining('--follow has no end')]);
  });
});

test('how far a run is, is shown with it', async () => {
  await inFolder(async (folder) => {
    const { storage, runId, fence, worker } = await begun(`${folder}/jobs.yaml`);
    const report = { runId, fence, worker, attempt: 1, at, fraction: 0.4567, details: { rows: 5 } };
    await storage.runProgress!.report([report]);
    await storage.close();
    const shown = ['runs', 'show', runId, '--storage', `file:${folder}/jobs.yaml`];
    expect((await chronis(shown)).stdout).toContain(
      'progress\t45.7 %, attempt 1, 2026-01-01T00:00:00Z {"rows":5}\n',
    );
    expect((await document(shown)).run.progress).toEqual({
      ...{ fraction: 0.4567, details: { rows: 5 }, attempt: 1, at: '2026-01-01T00:00:00.000Z' },
    });
  });
});
