import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { InvalidOptionError, JobNotFoundError } from '../../lib/index.js';
import { Gate, RealApp, storageKinds } from '../support/real.app.js';

describe.each(storageKinds)('previewJob on %s', (kind) => {
  let app: RealApp;
  let gate: Gate;

  beforeEach(async () => {
    app = await RealApp.boot(kind);
    gate = new Gate();
    app.scheduler.registerHandler('wait', () => gate.passed);
    app.scheduler.registerHandler('fail', () => Promise.reject(new Error('not today')));
  });
  afterEach(async () => {
    gate.release();
    await app.close();
  });

  const from = '2026-03-28T12:00:00Z';
  const nightly = { id: 'job', cron: '30 2 * * *', timeZone: 'Europe/Berlin', allowUnknownHandler: true };

  test('shows the instants of the stored trigger, with its zone and remarks', async () => {
    await app.scheduler.schedule('work', nightly);
    const shown = await app.scheduler.previewJob('job', { from, count: 2 });
    expect(shown).toMatchObject({
      timeZone: 'Europe/Berlin',
      occurrences: [
        { at: new Date('2026-03-29T01:00:00Z'), remarks: [{ code: 'dst-gap' }] },
        { at: new Date('2026-03-30T00:30:00Z'), offset: '+02:00', remarks: [] },
      ],
      remarks: [],
    });
  });

  test('begins now, with the next time of the job; hashes and jitter are those of the job', async () => {
    const job = await app.scheduler.schedule('work', { ...nightly, cron: 'H H * * *', jitter: '10m' });
    const { occurrences } = await app.scheduler.previewJob('job');
    expect(occurrences).toHaveLength(5);
    expect(occurrences[0]!.at).toEqual(job.nextRunAt);
  });

  test('shows a paused job all the same, and says so', async () => {
    await app.scheduler.schedule('work', { ...nightly, namespace: 'acme' });
    await app.scheduler.pauseJob('job', { namespace: 'acme', reason: 'audit' });
    const shown = await app.scheduler.previewJob('job', { namespace: 'acme', from, count: 1 });
    expect(shown.occurrences).toHaveLength(1);
    expect(shown.remarks).toMatchObject([
      { code: 'paused', text: 'The job is paused (audit): it does not fire until it is resumed.' },
    ]);
  });

  test('works while the job runs and while it waits for a retry', async () => {
    for (const [handler, told] of [
      ['wait', 'run.started'],
      ['fail', 'run.retrying'],
    ] as const) {
      const heard = app.next(told, handler);
      await app.scheduler.schedule(handler, { id: handler, every: '1h', maxRetries: 1, backoff: '1h' });
      await app.scheduler.runNow(handler);
      await heard;
      expect((await app.scheduler.previewJob(handler, { count: 3 })).occurrences).toHaveLength(3);
    }
  });

  test('shows a one-off, and that a job made for runNow alone does not fire', async () => {
    const at = new Date(Date.now() + 3_600_000);
    await app.scheduler.schedule('wait', { id: 'once', at });
    expect((await app.scheduler.previewJob('once')).occurrences).toMatchObject([{ at }]);
    await app.scheduler.createJob({ id: 'manual', handler: 'wait', trigger: { type: 'manual' } });
    const { occurrences, remarks } = await app.scheduler.previewJob('manual');
    expect([occurrences, remarks]).toMatchObject([[], [{ code: 'ends' }]]);
  });

  test('refuses what is not there, and wrong options', async () => {
    await expect(app.scheduler.previewJob('none')).rejects.toThrow(JobNotFoundError);
    await app.scheduler.schedule('work', nightly);
    await expect(app.scheduler.previewJob('job', { form: from } as never)).rejects.toThrow(
      InvalidOptionError,
    );
    await expect(app.scheduler.previewJob('job', { count: -1 })).rejects.toThrow(/count/);
  });
});
