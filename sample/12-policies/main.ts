// Retries, dead letters, timeouts, overlap, downtime and pauses, on a clock of its own: four days in a moment.
import 'reflect-metadata';
import { ChronisTesting } from 'nestjs-chronis/testing';
import { PolicyJobs } from './policies.service.js';

const chronis = await ChronisTesting.create({
  startAt: '2026-03-02T08:30:00Z',
  providers: [PolicyJobs],
  patienceMs: 50,
});
const { scheduler, clock } = chronis;
const hourMs = 3_600_000;

function time(at: Date): string {
  return at.toISOString().slice(5, 16).replace('T', ' ');
}

/** The record since `from`, by the nominal times: attempts, and the instants that did not run. */
async function show(jobId: string, from = new Date(0)): Promise<void> {
  const attempts = (await chronis.ledger(jobId)).filter(({ finishedAt }) => finishedAt >= from);
  const gaps = (await scheduler.getGaps({ jobId })).items.filter((gap) => gap.from >= from);
  const lines = [
    ...attempts.map(({ nominalAt, finishedAt, outcome, result, error }) => ({
      at: nominalAt,
      text: [`${outcome} at ${time(finishedAt)}`, error?.split('\n')[0] ?? (result as string)]
        .filter(Boolean)
        .join(': '),
    })),
    ...gaps.map((gap) => ({
      at: gap.from,
      text: gap.count === 1 ? gap.verdict : `${gap.verdict}, ${gap.count} instants`,
    })),
  ].toSorted((a, b) => a.at.getTime() - b.at.getTime());
  for (const { at, text } of lines) console.log(`  ${jobId.padEnd(15)} ${time(at)}  ${text}`);
}

console.log('Retries: two more tries, each after a longer delay');
const retries = { in: '0s', maxRetries: 2, backoff: ['10m', '1h'] };
await scheduler.createDateJob({ id: 'invoice-1', handler: 'charge', ...retries });
await scheduler.createDateJob({ id: 'letter-1', handler: 'print', ...retries });
await scheduler.createDateJob({ id: 'mail-1', handler: 'mail', ...retries });
await scheduler.createDateJob({ id: 'call-1', handler: 'call', in: '0s', timeout: '5m' });
await chronis.drain();
for (const id of ['invoice-1', 'letter-1', 'mail-1', 'call-1']) await show(id);

console.log('Dead letters: what gave up is kept until somebody looks at it');
const { items } = await scheduler.getRuns({ state: ['failed', 'timed_out'] });
for (const { jobId, lastError } of items) console.log(`  ${jobId.padEnd(15)} ${lastError?.split('\n')[0]}`);
await chronis.advanceBy('1h');
const mended = new Date(clock.now());
chronis.app.get(PolicyJobs).printerWorks = true;
const { changed } = await scheduler.retryFailed({ handler: 'print' });
await chronis.runDue();
console.log(`  ${changed} retried:`);
await show('letter-1', mended);

console.log('Overlap: a run of 90 minutes meets the instant of the next hour');
await chronis.advanceTo('2026-03-02T12:30:00Z');
const busy = new Date(clock.now());
scheduler.registerHandler('long', ({ signal }) => {
  return new Promise<string>((resolve, reject) => {
    clock.setTimer(1.5 * hourMs, () => resolve('done'));
    signal.addEventListener('abort', () => reject(signal.reason as Error));
  });
});
const overlaps = ['skip', 'queue', 'cancel-running', 'allow'] as const;
for (const overlap of overlaps) {
  await scheduler.createCronJob({ id: overlap, handler: 'long', cron: '0 13,14 * * *', overlap });
}
await chronis.advanceBy('4h', { whileRunning: true });
for (const overlap of overlaps) await show(overlap, busy);
await scheduler.deleteMany({ handler: 'long' });

console.log('Downtime: nobody was there for six hours, so six instants were missed');
await chronis.advanceTo('2026-03-03T08:30:00Z');
const stopped = new Date(clock.now());
await scheduler.stop();
await clock.advanceBy(6 * hourMs);
await scheduler.start();
await chronis.runDue();
for (const id of ['catch-up-once', 'catch-up-all', 'catch-up-never']) await show(id, stopped);

console.log('Pauses: one job, then all of them');
await chronis.advanceBy('10m');
const paused = new Date(clock.now());
await scheduler.pauseJob('catch-up-once', { reason: 'audit', by: 'ops' });
await chronis.advanceBy('2h');
await scheduler.pause({ all: true }, { reason: 'maintenance' });
await scheduler.resumeJob('catch-up-once');
await chronis.advanceBy('2h');
await scheduler.resume({ all: true });
await chronis.advanceBy('1h');
await show('catch-up-once', paused);
await chronis.close();
