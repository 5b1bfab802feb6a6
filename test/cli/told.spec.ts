import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runLog } from '../../lib/index.js';
import { fileStorage } from '../../lib/file/index.js';
import { ManualClock } from '../../lib/testing/manual.clock.js';
import { NestApp } from '../support/nest.app.js';
import { chronis, document, inFolder } from './cli.call.js';

const make = ['jobs', 'create', '--handler', 'work', '--every', '2s', '--allow-unknown-handler'];
const day = 24 * 60 * 60 * 1_000;

test('a folder of the storage that is not there is named, by services and by commands', async () => {
  await inFolder(async (folder) => {
    for (const kind of ['file', 'sqlite']) {
      const at = ['--storage', `${kind}:${folder}/none/jobs.${kind === 'file' ? 'json' : 'db'}`];
      for (const args of [['run', '--jobs-dir', folder], make]) {
        const { code, stderr } = await chronis([...args, ...at]);
        expect(stderr).toBe(
          `chronis: There is no folder ${folder}/none (--storage). Make it, or name another file.\n`,
        );
        expect(code).toBe(64);
      }
    }
    const recipe = fileStorage({ path: join(folder, 'none/jobs.json') });
    await expect(NestApp.boot({ chronis: { storage: recipe } })).rejects.toThrow(
      `there is no folder ${folder}/none. Make it first.`,
    );
  });
});

test('a job that is refused makes no storage', async () => {
  await inFolder(async (folder) => {
    const env = { XDG_STATE_HOME: folder };
    for (const [args, code] of [
      [['--handler', 'work', '--cron', 'never', '--allow-unknown-handler'], 64],
      [['--handler', 'work', '--every', '1h'], 1],
      [['--task', '{"type":"none"}', '--in', '0'], 1],
    ] as const) {
      const called = await chronis(['jobs', 'create', ...args], { env });
      expect([called.code, called.stderr === '']).toEqual([code, false]);
      expect(existsSync(join(folder, 'chronis'))).toBe(false);
    }
    expect((await chronis([...make, '--id', 'a'], { env })).code).toBe(0);
    expect(readdirSync(join(folder, 'chronis'))).not.toEqual([]);
  });
});

test('a line of the run log has no character in it that ends a line, or that nobody sees', () => {
  const lines: string[] = [];
  const log = runLog({ write: (line) => void lines.push(line) });
  const jobId = 'a\u2028b\u202ec\u200bd\u0085e';
  const event = { jobId, namespace: 'default', runId: '7', attempt: 1, durationMs: 5 };
  log['run.succeeded'](event as never, { at: new Date(0) } as never);
  expect(lines[0]).toMatch(/^job_id="a\\u2028b\\u202ec\\u200bd\\u0085e" time=/);
  expect(JSON.parse(/"[^"]*"/.exec(lines[0]!)![0])).toBe(jobId);
});

test('a terminal that is 0 wide is one of an unknown width', async () => {
  await inFolder(async (folder) => {
    const at = ['--storage', `file:${folder}/jobs.json`];
    await chronis([...make, '--id', 'nightly', ...at]);
    const { stdout, stderr } = await chronis(['jobs', ...at], { terminal: 0 });
    expect(stdout).toContain('nightly');
    expect(stderr).not.toContain('is 0 wide');
    expect((await chronis(['jobs', 'list', '--help'], { terminal: 0 })).stdout).toContain('--prefix');
  });
});

test('what is wrong is told by the flag that was typed', async () => {
  await inFolder(async (folder) => {
    const at = ['--storage', `file:${folder}/jobs.json`];
    for (const [flag, value, more] of [
      ['--shutdown-timeout', 'x', []],
      ['--allow', 'rsync', []],
      ['--http-hosts', 'a b', []],
      ['--emit-timeout', 'long', ['--emit', 'a=redis://b']],
    ] as const) {
      const own = ['--storage', `file:${folder}/${flag}.json`];
      const { code, stderr } = await chronis(['run', '--jobs-dir', folder, flag, value, ...more, ...own]);
      expect(stderr.split('\n').find((line) => line.startsWith('chronis:'))).toMatch(
        new RegExp(`^chronis: ${flag}: `),
      );
      expect(code).toBe(64);
    }
    await chronis([...make, ...at]);
    const { code, stderr } = await chronis(['prune', '--older-than', 'x', ...at]);
    expect(stderr).toMatch(/^chronis: --older-than: /);
    expect(code).toBe(64);
    const missing = await chronis(['jobs', 'show', 'zzzzz', ...at]);
    expect(missing.stderr).toMatch(/There is no job "zzzzz"/);
    expect(missing.stderr).not.toContain('onModuleInit');
  });
});

test('of several jobs each is told, also behind one that is not there', async () => {
  await inFolder(async (folder) => {
    const at = ['--storage', `file:${folder}/jobs.json`];
    for (const id of ['a1', 'b1']) await chronis([...make, '--id', id, ...at]);
    const { code, stdout, stderr } = await chronis(['jobs', 'pause', 'a1', 'nope', 'b1', ...at]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: 'a1\tpaused\nb1\tpaused\n' });
    expect(stderr).toContain('There is no job "nope"');
    expect(await document(['jobs', 'resume', 'nope', 'b1', ...at])).toEqual({
      changed: ['b1'],
      matched: 1,
      error: { code: 'CHRONIS_JOB_NOT_FOUND', message: expect.stringContaining('"nope"') },
      failed: [{ id: 'nope', error: expect.stringContaining('There is no job "nope"') }],
    });
    const none = await chronis(['jobs', 'delete', '--prefix', 'zz', ...at]);
    expect(none).toMatchObject({ code: 0, stdout: '0 jobs of 0 deleted.\n' });
  });
});

test('jobs of a clock that was ahead go on by what the doctor says, intervals too', async () => {
  await inFolder(async (folder) => {
    mkdirSync(join(folder, 'state'));
    const at = ['--storage', `file:${folder}/state/jobs.json`];
    const clock = new ManualClock(new Date(Date.now() + 2 * day));
    const storage = fileStorage({ path: join(folder, 'state/jobs.json'), clock });
    const app = await NestApp.boot({ clock, chronis: { storage } });
    const of = { handler: 'work', allowUnknownHandler: true };
    await app.scheduler.createJob({ id: 'never fired', every: '2s', ...of });
    await app.scheduler.createJob({ id: 'by-end', every: '2s', mode: 'fixed-delay', ...of } as never);
    await app.close();
    const early = await chronis(['jobs', 'resume', 'by-end', '--from-now', ...at]);
    expect(early.code).toBe(1);
    expect(early.stderr).toContain('is not paused, so that nothing was changed of it');
    const { findings } = await document(['doctor', ...at]);
    expect(findings.map(({ code }: { code: string }) => code)).toEqual(['doctor.schedules-ahead']);
    for (const line of findings[0].repair.text.split('; ')) {
      const [, id] = /'(.*)'/.exec(line) ?? [];
      const words = line.replace(/'.*'/, 'ID').split(' ').slice(1);
      const args = words.map((word: string) => (word === 'ID' ? id : word));
      expect((await chronis([...args, ...at])).code).toBe(0);
    }
    const { jobs } = await document(['jobs', ...at]);
    for (const { nextRunAt } of jobs) expect(Date.parse(nextRunAt) - Date.now()).toBeLessThan(10_000);
    expect(await document(['doctor', ...at])).toMatchObject({ healthy: true });
  });
});
