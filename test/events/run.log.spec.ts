import { expect, test } from 'vitest';
import { runLog, type RunLogOptions } from '../../lib/index.js';
import { ManualClock } from '../../lib/testing/index.js';
import { NestApp } from '../support/nest.app.js';

const begin = '2026-03-02T01:00:00.000Z';

/** The lines of an application whose handlers do as the job is called. */
async function logged(
  options: Omit<RunLogOptions, 'write'>,
  work: (app: NestApp) => Promise<void>,
): Promise<string[]> {
  const lines: string[] = [];
  const on = runLog({ ...options, write: (line) => lines.push(line) });
  const app = await NestApp.boot({ chronis: { on }, clock: new ManualClock(begin) });
  const { scheduler, clock } = app;
  scheduler.registerHandler('fine', () => clock.advanceBy(12));
  scheduler.registerHandler('broken', () => {
    throw new Error('no "route"\nto the host');
  });
  scheduler.registerHandler(
    'slow',
    ({ signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      }),
  );
  try {
    await work(app);
  } finally {
    await app.close();
  }
  return lines;
}

const runIds = (lines: string[]): string[] => lines.map((line) => line.replace(/run_id=\S+/, 'run_id=N'));

test('an execution that has succeeded is a line with job, time and SUCCESS', async () => {
  const lines = await logged({}, async (app) => {
    await app.scheduler.schedule('fine', { id: 'daily-report', in: 0 });
    await app.settle();
  });
  expect(runIds(lines)).toEqual([
    `job_id=daily-report time=${begin} status=SUCCESS run_id=N attempt=1 duration_ms=12`,
  ]);
});

test('each attempt that fails is a FAILURE with its error, and when it is tried again', async () => {
  const lines = await logged({}, async (app) => {
    await app.scheduler.schedule('broken', {
      id: 'a job',
      namespace: 'shop',
      in: 0,
      maxRetries: 1,
      backoff: '30s',
    });
    await app.settle();
    await app.clock.advanceBy(30_000);
    await app.settle();
  });
  const failure = 'outcome=failed error="no \\"route\\""';
  expect(runIds(lines)).toEqual([
    `job_id="a job" time=${begin} status=FAILURE namespace=shop run_id=N attempt=1 duration_ms=0 ${failure} retry_at=2026-03-02T01:00:30.000Z`,
    `job_id="a job" time=2026-03-02T01:00:30.000Z status=FAILURE namespace=shop run_id=N attempt=2 duration_ms=0 ${failure}`,
  ]);
});

test('a timeout and a cancellation are failures, and time is when it began', async () => {
  const lines = await logged({ format: 'json' }, async (app) => {
    await app.scheduler.schedule('slow', { id: 'late', in: 0, timeout: '10s' });
    await app.scheduler.schedule('slow', { id: 'unwanted', in: 0 });
    await app.settle();
    await app.clock.advanceBy(10_000);
    await app.settle();
    await app.scheduler.cancelJob('unwanted');
    // What has not begun is no execution.
    await app.scheduler.schedule('slow', { id: 'unbegun', in: '1h' });
    await app.scheduler.cancelJob('unbegun');
    await app.settle();
    await app.clock.advanceBy(10_000);
    await app.settle();
  });
  const found = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(found.map(({ job_id, time, status, outcome }) => [job_id, time, status, outcome])).toEqual([
    ['late', begin, 'FAILURE', 'timed_out'],
    ['unwanted', begin, 'FAILURE', 'cancelled'],
  ]);
});

test('of an error nothing is shown that is hidden, by the usual rules and by those that are given', async () => {
  const fails = async (options: Omit<RunLogOptions, 'write'>) => {
    const [line] = await logged(options, async (app) => {
      app.scheduler.registerHandler('leaking', () => {
        throw new Error(`postgres://app:hunter2@db ${'x'.repeat(290)} DE89`);
      });
      await app.scheduler.schedule('leaking', { in: 0 });
      await app.settle();
    });
    return line!;
  };
  expect(await fails({})).toContain('postgres://app:***@db');
  const by = (value: unknown) => String(value).replace(/x+ DE89/, '****');
  const line = await fails({ redact: { by } });
  expect(line).toContain('error="postgres://app:***@db ****"');
  expect(() => runLog({ redact: 7 as never })).toThrow('redact: must be a list of names of keys');
});

test('successes may be left out', async () => {
  const lines = await logged({ only: 'failures' }, async (app) => {
    await app.scheduler.schedule('fine', { in: 0 });
    await app.scheduler.schedule('broken', { id: 'b', in: 0 });
    await app.settle();
  });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toContain('status=FAILURE');
});

test('runs that died with their worker are failures', () => {
  const lines: string[] = [];
  const { 'workers.released': released } = runLog({ write: (line) => lines.push(line) });
  const gaveUp = [{ runId: '7', namespace: 'default', jobId: 'once', handler: 'h' }];
  const at = new Date(begin);
  released(
    { workers: ['w'], rerun: 0, ended: 1, gaveUp },
    { name: 'workers.released', at, remote: false, instance: 'i' },
  );
  expect(lines).toEqual([`job_id=once time=${begin} status=FAILURE run_id=7 outcome=lost`]);
});

test('what it does not take is refused', () => {
  expect(() => runLog({ format: 'xml' as 'json' })).toThrow(
    'format: of runLog() must be one of text, json, but is "xml".',
  );
  expect(() => runLog({ only: 'some' as 'all' })).toThrow('only: of runLog()');
  expect(() => runLog({ write: 'stdout' as never })).toThrow('write: must be a function');
});
