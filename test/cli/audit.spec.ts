import { userInfo } from 'node:os';
import { describe, expect, test } from 'vitest';
import { commands } from '../../lib/cli/command.list.js';
import { ControlServer } from '../../lib/cli/control.server.js';
import { openSession } from '../../lib/cli/session.js';
import { StderrLogger } from '../../lib/cli/stderr.logger.js';
import { chronis, document, inFolder } from './cli.call.js';

const user = userInfo().username;

/** A storage in a file, with the jobs `a` and `b` that are run by hand. */
async function withJobs<T>(work: (at: string[], path: string) => Promise<T>): Promise<T> {
  return inFolder(async (folder) => {
    const path = `${folder}/jobs.yaml`;
    const at = ['--storage', `file:${path}`];
    for (const id of ['a', 'b']) {
      const made = await chronis([
        ...['jobs', 'create', '--id', id, '--handler', 'work', '--manual', '--allow-unknown-handler'],
        ...at,
      ]);
      expect(made.code, made.stderr).toBe(0);
    }
    return work(at, path);
  });
}

test('what commands change is on record, by who and why', async () => {
  await withJobs(async (at) => {
    const { run } = await document(['jobs', 'run', 'a', '--by', 'ada', '--note', 'asked by phone', ...at]);
    await chronis(['jobs', 'pause', 'b', ...at], { env: { CHRONIS_BY: 'bob' } });
    await chronis(['jobs', 'pause', '--prefix', 'a', '--note', 'why', ...at]);
    await chronis(['pauses', 'add', '--queue', 'mail', '--by', 'eve', '--reason', 'full', ...at]);
    await chronis(['runs', 'cancel', run.id, '--yes', '--by', 'eve', ...at]);
    await chronis(['runs', 'retry', '--all', ...at]);
    const { audit } = await document(['audit', ...at]);
    expect(
      audit.map(({ action, actor, note }: Record<string, unknown>) => [action, actor, note]).toReversed(),
    ).toEqual([
      ['create', `${user} (cli)`, null],
      ['create', `${user} (cli)`, null],
      ['runNow', 'ada', 'asked by phone'],
      ['pause', 'bob', null],
      ['pauseMany', `${user} (cli)`, 'why'],
      ['pauseScope', 'eve', null],
      ['cancelRun', 'eve', null],
    ]);
    // A pause itself has the same name.
    expect((await document(['pauses', ...at])).pauses).toMatchObject([{ by: 'eve', reason: 'full' }]);
    const shown = await chronis(['runs', 'show', run.id, ...at]);
    expect(shown.stdout).toMatch(/^asked .* runNow by ada, asked by phone$/m);
    expect(shown.stdout).toMatch(/^asked .* cancelRun by eve$/m);
  });
});

test('the record is shown by who, what, which and when, page by page', async () => {
  await withJobs(async (at) => {
    const { run } = await document(['jobs', 'run', 'a', '--by', 'ada', ...at]);
    await chronis(['jobs', 'pause', 'b', '--by', 'bob', '--note', 'tilt', ...at]);
    const actions = async (...args: string[]): Promise<string[]> =>
      (await document(['audit', ...args, ...at])).audit.map(({ action }: { action: string }) => action);
    expect(await actions('--by', 'ada')).toEqual(['runNow']);
    expect(await actions('--run', run.id)).toEqual(['runNow']);
    expect(await actions('--job', 'b', '--namespace', 'default')).toEqual(['pause', 'create']);
    expect(await actions('--action', 'pause,runNow')).toEqual(['pause', 'runNow']);
    expect(await actions('--until', '2020-01-01T00:00Z')).toEqual([]);
    expect(await actions('--since', '2020-01-01T00:00Z')).toHaveLength(4);
    const { cursor } = await document(['audit', '--limit', '1', ...at]);
    expect(await actions('--limit', '1', '--cursor', cursor)).toEqual(['runNow']);
    const table = await chronis(['audit', '--limit', '1', ...at]);
    expect(table.stdout.split('\n')[1]).toMatch(/\tbob\tpause\tb\t1\ttilt$/);
    // CHRONIS_BY says who changes something, and not whose changes are shown.
    const { audit } = await document(['audit', ...at], { env: { CHRONIS_BY: 'ada' } });
    expect(audit).toHaveLength(4);
    const wrong = await chronis(['audit', '--action', 'explode', ...at]);
    expect([wrong.code, wrong.stderr]).toEqual([64, expect.stringContaining("action: must be 'create' or")]);
  });
});

test('a name of several lines is refused before anything is changed', async () => {
  await withJobs(async (at) => {
    const refused = await chronis(['jobs', 'delete', 'a', '--yes', '--note', 'a\nb', ...at]);
    expect([refused.code, refused.stderr]).toEqual([64, expect.stringContaining('note')]);
    expect((await document(['jobs', 'show', 'a', ...at])).job.id).toBe('a');
  });
});

describe('a service that is asked over its socket', () => {
  test('puts it on record in the name of who asks', async () => {
    await withJobs(async (at, path) => {
      const choice = { kind: 'file', path, origin: '--storage', shown: path, isDefault: false } as never;
      const session = await openSession(choice, { logger: new StderrLogger('ERROR', () => undefined) });
      const socket = `${path}.s`;
      const control = await ControlServer.listen(socket, session);
      try {
        const paused = await chronis([
          'jobs',
          'pause',
          'a',
          '--by',
          'ada',
          '--note',
          'why',
          '--socket',
          socket,
        ]);
        expect(paused.code, paused.stderr).toBe(0);
        const [entry] = (await session.scheduler.getAudit({ action: 'pause' })).items;
        expect(entry).toMatchObject({ actor: 'ada', note: 'why', jobId: 'a' });
        const listed = await chronis(['audit', '--by', 'ada', '--socket', socket]);
        expect(listed.stdout).toContain('\tada\tpause\ta\t1\twhy');
      } finally {
        await control.close();
        await session.close();
      }
    });
  });
});

test('all commands that change something are on record, but for those that the reference names', () => {
  const reading =
    /^(run|version|completion|preview|why|forecast|plan|migrate|health|doctor|audit|queues|workers|stats rebuild|binaries store)$|(list|show|log|failures)$/;
  const others = commands.filter(({ changes, name }) => !changes && !reading.test(name));
  expect(others.map(({ name }) => name)).toEqual([]);
});
