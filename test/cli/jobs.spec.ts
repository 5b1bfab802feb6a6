import { expect, test } from 'vitest';
import { chronis, document, inFolder } from './cli.call.js';

const unknown = '--allow-unknown-handler';

/** Three jobs in a file, made by the command line. */
async function withJobs(work: (at: string[]) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    const at = ['--storage', `file:${folder}/jobs.yaml`];
    const make = async (...args: string[]): Promise<void> => {
      const { code, stderr } = await chronis(['jobs', 'create', ...args, unknown, ...at]);
      expect(stderr).toBe('');
      expect(code).toBe(0);
    };
    await make('--id', 'report', '--handler', 'report.send', '--cron', '0 9 * * *', '--tz', 'Asia/Seoul');
    await make(
      '--id',
      '일보',
      '--handler',
      'report.send',
      '--every',
      '90m',
      '--options',
      '{"overlap":"queue"}',
    );
    await make('--id', 'once', '--handler', 'other', '--at', '2040-01-01', '--payload', '{"to":"all"}');
    await work(at);
  });
}

test('jobs are made, listed, shown, paused, resumed and deleted', async () => {
  await withJobs(async (at) => {
    const { jobs, cursor } = await document(['jobs', ...at]);
    expect(cursor).toBeNull();
    expect(jobs.map(({ id, state }: { id: string; state: string }) => [id, state])).toEqual([
      ['once', 'pending'],
      ['report', 'pending'],
      ['일보', 'pending'],
    ]);
    const { job, preview } = await document(['jobs', 'show', 'report', ...at]);
    expect(job).toMatchObject({ handler: 'report.send', timeZone: 'Asia/Seoul', payload: null });
    expect(preview.occurrences).toHaveLength(5);
    expect((await document(['jobs', 'show', '일보', ...at])).job.policies).toEqual({ overlap: 'queue' });

    const paused = await chronis(['jobs', 'pause', 'report', '--reason', 'holidays', '--by', 'ops', ...at]);
    expect(paused).toEqual({ code: 0, stdout: 'report\tpaused\n', stderr: '' });
    expect((await document(['jobs', 'show', 'report', ...at])).job.paused).toMatchObject({
      reason: 'holidays',
      by: 'ops',
    });
    expect(await document(['jobs', 'resume', '--handler', 'report.send', ...at])).toMatchObject({
      matched: 2,
      changed: 1,
    });
    expect(await document(['jobs', 'delete', 'once', '--yes', ...at])).toEqual({
      changed: ['once'],
      matched: 1,
    });
    expect((await document(['jobs', ...at])).jobs).toHaveLength(2);
  });
});

test('pauses of jobs, of many and of scopes end by themselves with --until, and say when', async () => {
  await withJobs(async (at) => {
    const until = '2040-01-01T12:00:00.000Z';
    const who = ['--reason', 'holidays', '--by', 'ops', '--until', until];
    await chronis(['jobs', 'pause', 'report', ...who, ...at]);
    expect((await document(['jobs', 'show', 'report', ...at])).job.paused.until).toBe(until);
    const { stdout } = await chronis(['jobs', 'show', 'report', ...at]);
    expect(stdout).toMatch(/paused\tsince \S+Z until 2040-01-01T12:00:00Z by ops \(holidays\)/);
    expect(stdout).toContain(
      '(holidays): it does not fire until 2040-01-01 21:00:00 (Asia/Seoul), when that ends.',
    );
    await chronis(['jobs', 'pause', '--handler', 'other', ...who, ...at]);
    expect((await document(['jobs', 'show', 'once', ...at])).job.paused.until).toBe(until);
    const added = await chronis(['pauses', 'add', '--queue', 'slow', ...who, ...at]);
    expect(added.stdout).toMatch(/^queue slow\tpaused since \S+Z, until 2040-01-01T12:00:00Z\n$/);
    expect((await document(['pauses', ...at])).pauses).toMatchObject([{ scope: { queue: 'slow' }, until }]);
    for (const [wrong, problem] of [
      ['soon', /until/],
      ['2001-01-01', /until: .*must be in the future/],
    ] as const) {
      const { code, stderr } = await chronis(['pauses', 'add', '--all', '--until', wrong, ...at]);
      expect(code).not.toBe(0);
      expect(stderr).toMatch(problem);
    }
  });
});

test('a job that is not there is an error with what was probably meant, and 1', async () => {
  await withJobs(async (at) => {
    for (const action of ['show', 'pause', 'resume', 'run']) {
      const { code, stdout, stderr } = await chronis(['jobs', action, 'reprot', ...at]);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toContain('Did you mean "report"?');
    }
    const { error } = await document(['jobs', 'show', 'reprot', ...at]);
    expect(error.code).toBe('CHRONIS_JOB_NOT_FOUND');
  });
});

test('nothing is destroyed without a yes', async () => {
  await withJobs(async (at) => {
    const asked = ['jobs', 'delete', '--handler', 'report.send', ...at];
    const alone = await chronis(asked);
    expect(alone.code).toBe(64);
    expect(alone.stderr).toContain(
      'Delete 2 jobs? Nobody is there to be asked: give --yes if that is meant.',
    );
    const no = await chronis(asked, { terminal: 80, answer: '' });
    expect(no).toMatchObject({ code: 1, stdout: '' });
    expect(no.stderr).toContain('Delete 2 jobs? [y/N] ');
    expect((await document(['jobs', ...at])).jobs).toHaveLength(3);
    expect((await chronis([...asked, '--dry-run'])).stdout).toBe(
      '2 jobs would be deleted.\n  report\n  일보\n',
    );
    expect((await document(['jobs', ...at])).jobs).toHaveLength(3);
    const yes = await chronis(asked, { terminal: 80, answer: 'y' });
    expect(yes).toMatchObject({ code: 0, stdout: '2 jobs of 2 deleted.\n' });
    expect((await document(['jobs', ...at])).jobs).toHaveLength(1);
  });
});

test('no conditions are not all jobs', async () => {
  await withJobs(async (at) => {
    const { code, stderr } = await chronis(['jobs', 'pause', ...at]);
    expect(code).toBe(64);
    expect(stderr).toContain('or --all');
    const both = await chronis(['jobs', 'pause', 'report', '--all', ...at]);
    expect(both.code).toBe(64);
    expect(await document(['jobs', 'pause', '--all', ...at])).toMatchObject({ matched: 3, changed: 3 });
  });
});

test('on a terminal a table is as wide as that, with colours unless they are not wanted; else there are tabs', async () => {
  await withJobs(async (at) => {
    const columns = ['jobs', '--prefix', 'o', ...at];
    const piped = await chronis(columns);
    expect(piped.stdout).toBe(
      'ID\tSTATE\tNEXT\tSCHEDULE\tLAST\tRUNS\tHANDLER\nonce\tpending\t2040-01-01T00:00:00Z\tonce\t\t0\tother\n',
    );
    const wide = await chronis(columns, { terminal: 100, env: { NO_COLOR: '1' } });
    expect(wide.stdout).toBe(
      'ID    STATE    NEXT                  SCHEDULE  LAST  RUNS  HANDLER\n' +
        'once  pending  2040-01-01T00:00:00Z  once               0  other\n',
    );
    const narrow = await chronis(columns, { terminal: 40, env: { NO_COLOR: '1' } });
    expect(narrow.stdout).toBe(
      'ID    STATE   NEXT    SCHED…  LAST  RUNS\nonce  pendi…  2040-…  once             0\n',
    );
    expect(narrow.stderr).toContain('Left out, as the terminal is 40 wide: HANDLER.');
    await chronis(['jobs', 'pause', 'once', ...at]);
    const coloured = await chronis(columns, { terminal: 100 });
    expect(coloured.stdout).toContain('\u001b[33mpaused\u001b[39m');
    for (const plain of [
      await chronis([...columns, '--no-color'], { terminal: 100 }),
      await chronis(columns, { terminal: 100, env: { TERM: 'dumb' } }),
      await chronis(columns),
    ])
      expect(plain.stdout).not.toContain('\u001b');
  });
});

test('there is a page after the first, told on stderr', async () => {
  await withJobs(async (at) => {
    const first = await chronis(['jobs', '--limit', '2', ...at]);
    const cursor = /--cursor (\S+)/.exec(first.stderr)![1]!;
    const { jobs } = await document(['jobs', '--limit', '2', '--cursor', cursor, ...at]);
    expect(jobs.map(({ id }: { id: string }) => id)).toEqual(['일보']);
  });
});

test('of several jobs those are told that were changed before one failed', async () => {
  await withJobs(async (at) => {
    const pause = ['jobs', 'pause', 'once', 'none', 'report', ...at];
    const { code, stdout, stderr } = await chronis([...pause, '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      error: { code: 'CHRONIS_JOB_NOT_FOUND' },
      changed: ['once', 'report'],
      failed: [{ id: 'none' }],
    });
    expect(stderr).toMatch(/^once\tpaused\nchronis: There is no job "none".*\nreport\tpaused\n$/);
    expect((await chronis(pause)).stdout).toBe('once\tpaused\nreport\tpaused\n');
  });
});

test('a handler that nobody has is refused', async () => {
  await withJobs(async (at) => {
    const { code, stderr } = await chronis([
      'jobs',
      'create',
      '--handler',
      'report.sned',
      '--in',
      '0',
      ...at,
    ]);
    expect(code).toBe(1);
    expect(stderr).toContain('"report.sned"');
  });
});
