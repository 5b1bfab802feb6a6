import { expect, test } from 'vitest';
import type { WorkerInfo } from '../../lib/index.js';
import { openSession, type Session } from '../../lib/cli/session.js';
import { StderrLogger } from '../../lib/cli/stderr.logger.js';
import { checkUp } from '../../lib/cli/storage.checkup.js';
import { inFolder } from './cli.call.js';

const usual = { overdueAfter: undefined, forgottenAfter: undefined, deadLetters: 100 };

/** A file with so many jobs of a time that is over. */
async function withLate(
  count: number,
  work: (session: Session, shown: string) => Promise<void>,
): Promise<void> {
  await inFolder(async (folder) => {
    const choice = {
      kind: 'file',
      path: `${folder}/jobs.json`,
      isDefault: false,
      shown: 'file',
      origin: '',
    } as const;
    const session = await openSession(choice, { logger: new StderrLogger('ERROR', () => undefined) });
    try {
      const { scheduler } = session;
      const jobs = Array.from({ length: count }, (_, nth) => ({
        id: `late-${nth}`,
        handler: 'work',
        at: '2020-01-01T00:00Z',
        allowUnknownHandler: true,
      }));
      for (let from = 0; from < count; from += 500) await scheduler.createMany(jobs.slice(from, from + 500));
      await work(session, choice.shown);
    } finally {
      await session.close();
    }
  });
}

function working(session: Session, leaseMs: number): Session {
  const worker = { leaseUntil: new Date(Date.now() + leaseMs) } as WorkerInfo;
  return { ...session, isService: true, workers: async () => [worker] };
}

test('a file whose process is busy is not told to have none', async () => {
  await withLate(1, async (session, shown) => {
    const { findings } = await checkUp({ shown }, working(session, 60_000), usual);
    expect(findings).toMatchObject([
      { code: 'doctor.overdue-jobs', severity: 'warning', evidence: { overdue: 1, example: 'late-0' } },
    ]);
    expect(findings[0]!.sentence).toContain('although a process works on this file');
    expect(findings[0]!.repair.text).not.toBe('chronis run');
    for (const each of [session, working(session, -60_000)])
      expect((await checkUp({ shown }, each, usual)).findings).toMatchObject([
        { code: 'doctor.no-worker', severity: 'error' },
      ]);
  });
});

test('what is counted has no end at a thousand, and what is not told is said', async () => {
  await withLate(1_205, async (session, shown) => {
    const { scheduler } = session;
    const late = await checkUp({ shown }, session, usual);
    expect(late.findings).toMatchObject([{ code: 'doctor.no-worker', evidence: { overdue: 1_205 } }]);
    await scheduler.pauseMany({ handler: 'work' });
    await new Promise((resolve) => setTimeout(resolve, 5));
    const { findings } = await checkUp({ shown }, session, { ...usual, forgottenAfter: '1ms' });
    const pauses = findings.filter(({ code }) => code === 'doctor.stale-pause');
    expect(pauses).toHaveLength(1_001);
    expect(pauses.at(-1)).toMatchObject({
      sentence: '205 more jobs have been paused for as long.',
      evidence: { count: 205 },
    });
  });
});
