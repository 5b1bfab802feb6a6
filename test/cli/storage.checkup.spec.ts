import { mkdirSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { WorkerInfo } from '../../lib/index.js';
import { startService } from '../../lib/cli/service.js';
import { openSession, type Session } from '../../lib/cli/session.js';
import { StderrLogger } from '../../lib/cli/stderr.logger.js';
import { checkUp } from '../../lib/cli/storage.checkup.js';
import { chronis, document, inFolder } from './cli.call.js';

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

test('broken job files of the service that has the file are findings, with file, line and reason', async () => {
  await inFolder(async (folder) => {
    const directory = `${folder}/jobs.d`;
    mkdirSync(directory);
    writeFileSync(
      `${directory}/a.yaml`,
      'job_id: a\nschedule: "61 * * * *"\ntask: { type: execute_command, command: /bin/true }\n',
    );
    writeFileSync(`${directory}/b.json`, '{ "job_id": ');
    for (let nth = 0; nth < 24; nth++) writeFileSync(`${directory}/c${nth}.json`, '{');
    const service = await startService({
      storage: { kind: 'file', path: `${folder}/jobs.json`, isDefault: false, shown: 'file', origin: 'test' },
      migrate: 'check',
      directory,
      socket: `${folder}/s`,
      executors: { command: { allow: ['*'] } },
      emit: null,
      chronis: {},
      format: 'run',
      level: 'ERROR',
      writeResult: () => undefined,
      writeLog: () => undefined,
    });
    try {
      const asked = ['doctor', '--storage', `file:${folder}/jobs.json`, '--socket', `${folder}/s`];
      const { healthy, checked, findings } = await document(asked);
      expect(healthy).toBe(false);
      expect(checked).toContain('job files');
      expect(findings.slice(0, 2)).toMatchObject([
        {
          code: 'health.job-files',
          severity: 'warning',
          sentence: expect.stringMatching(
            /^The job file \/.*\/a\.yaml:2:\d+ is broken: .*Nothing of it is in force\.$/,
          ),
          evidence: { file: `${directory}/a.yaml`, line: 2, reason: expect.stringContaining('61') },
          repair: { by: 'hand' },
        },
        { code: 'health.job-files', evidence: { file: `${directory}/b.json`, line: 1 } },
      ]);
      expect(findings).toHaveLength(21);
      expect(findings.at(-1)).toMatchObject({ code: 'health.job-files', evidence: { count: 6 } });
      const { code, stdout } = await chronis(asked);
      expect(code).toBe(2);
      expect(stdout).toContain(`warning health.job-files\n  The job file ${directory}/a.yaml:2`);
    } finally {
      await service.close();
    }
  });
});

test('where the folder of job files cannot be read, that is a finding', async () => {
  await withLate(0, async (session, shown) => {
    const status = {
      directory: '/etc/jobs.d',
      watching: true,
      problem: { message: 'The folder /etc/jobs.d cannot be read: EACCES.', since: new Date(0) },
      files: [],
    };
    const of = (problem: typeof status.problem | null): Session => ({
      ...session,
      jobFiles: async () => ({ ...status, problem }),
    });
    const { findings } = await checkUp({ shown }, of(status.problem), usual);
    expect(findings).toMatchObject([
      { code: 'health.job-files', evidence: { directory: '/etc/jobs.d', since: '1970-01-01T00:00:00.000Z' } },
    ]);
    expect((await checkUp({ shown }, of(null), usual)).findings).toEqual([]);
    const alone = await checkUp({ shown }, session, usual);
    expect(alone.checked).not.toContain('job files');
  });
});
