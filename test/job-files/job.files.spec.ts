import { mkdirSync, renameSync, rmSync, utimesSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ChronisModule, InvalidOptionError } from '../../lib/index.js';
import { ChronisJobFilesModule, type JobFilesOptions } from '../../lib/job-files/index.js';
import { folderForEachTest, job, until, type FolderApps } from './folder.app.js';

let folder: FolderApps;
folderForEachTest((fresh) => (folder = fresh));

describe('a folder of job files', () => {
  test('is followed: new, changed and deleted files within two seconds', async () => {
    folder.write('a.json', job('a'));
    folder.write('b.yaml', 'id: b\nschedule: "*/5 * * * *"\nhandler: say\npayload: yes, b\n');
    const app = await folder.start();
    expect(await app.running()).toEqual({ a: 'a', b: 'yes, b' });
    const began = performance.now();
    folder.write('c.yml', '- { id: c, every: 1h, handler: say }\n- { id: d, every: 1h, handler: say }\n');
    await app.runs({ a: 'a', b: 'yes, b', c: null, d: null });
    folder.write('a.json', job('a', { payload: 'other' }));
    await app.runs({ a: 'other', b: 'yes, b', c: null, d: null });
    rmSync(folder.path('c.yml'));
    await app.runs({ a: 'other', b: 'yes, b' });
    // Three changes, one after the other; each promises two seconds.
    expect(performance.now() - began).toBeLessThan(6_000);
    expect((await app.scheduler.getJob('c'))!.state).toBe('orphaned');
  });

  test('runs what its files say, with tasks or handlers of the application', async () => {
    folder.write('a.json', { id: 'a', every: '1s', handler: 'say', payload: 'hello' });
    folder.write('b.json', {
      job_id: 'b',
      description: 'Says it by a command',
      every: '1s',
      task: { type: 'execute_command', command: 'echo hello' },
    });
    const app = await folder.start();
    await until(() => expect(new Set(folder.ran)).toEqual(new Set(['hello', 'echo hello'])));
    const stored = await app.scheduler.getJob('b');
    expect(stored).toMatchObject({
      handler: 'task:execute_command',
      payload: { command: 'echo hello' },
      metadata: { description: 'Says it by a command' },
    });
  });

  test('says by lateAfter when its jobs are overdue, and what is no duration is told with its line', async () => {
    folder.write('a.json', job('a', { lateAfter: '10m' }));
    folder.write('b.yaml', 'id: b\nevery: 1h\nhandler: say\nlateAfter: soon\n');
    const app = await folder.start();
    expect((await app.scheduler.getJob('a'))!.policies).toMatchObject({ lateAfterMs: 600_000 });
    await app.isBroken('b.yaml', { line: 4, message: expect.stringMatching(/^lateAfter: /) as string });
    folder.write('a.json', job('a', { lateAfter: null }));
    await until(async () =>
      expect((await app.scheduler.getJob('a'))!.policies.lateAfterMs ?? null).toBeNull(),
    );
  });

  test('a one-off runs once: not after a restart, nor when its file is touched, but at a changed time', async () => {
    const at = (seconds: number): string => new Date(Date.now() + seconds * 1_000).toISOString();
    const once = { id: 'once', schedule: at(0.5), handler: 'say', payload: 'once' };
    folder.write('once.json', once);
    const first = await folder.start();
    await until(() => expect(folder.ran).toEqual(['once']));
    utimesSync(folder.path('once.json'), new Date(), new Date());
    await first.stop();
    const second = await folder.start();
    folder.write('once.json', { ...once, description: 'Once' });
    await until(async () =>
      expect((await second.scheduler.getJob('once'))!.metadata).toEqual({ description: 'Once' }),
    );
    expect(folder.ran).toEqual(['once']);
    expect((await second.scheduler.getJob('once'))!.runCount).toBe(1);
    folder.write('once.json', { ...once, schedule: at(0.2) });
    await until(() => expect(folder.ran).toEqual(['once', 'once']));
  });

  test('what is not enabled is as if it were not there, and told', async () => {
    folder.write('a.json', [job('a'), job('b', { enabled: false })]);
    const app = await folder.start();
    expect(await app.running()).toEqual({ a: 'a' });
    expect(app.file('a.json')!.jobs.map(({ id, state }) => [id, state])).toEqual([
      ['a', 'declared'],
      ['b', 'disabled'],
    ]);
    folder.write('a.json', [job('a', { enabled: false }), job('b', { enabled: true })]);
    await app.runs({ b: 'b' });
  });

  test('what goes while no process runs does not fire again', async () => {
    folder.write('a.json', job('a'));
    folder.write('b.json', job('b'));
    await (await folder.start()).stop();
    rmSync(folder.path('b.json'));
    const app = await folder.start();
    expect(await app.running()).toEqual({ a: 'a' });
  });

  test('has a name, under which other paths are the same folder', async () => {
    folder.write('a.json', job('a'));
    folder.write('b.json', job('b'));
    await (await folder.start({ name: 'nightly' })).stop();
    const elsewhere = `${folder.root}/elsewhere`;
    renameSync(folder.directory, elsewhere);
    rmSync(`${elsewhere}/b.json`);
    const app = await folder.start({ name: 'nightly', directory: elsewhere });
    expect(await app.running()).toEqual({ a: 'a' });
  });

  test('a process that only watches declares nothing, and still tells what is wrong', async () => {
    folder.write('a.json', job('a'));
    folder.write('b.json', job('b', { handler: 'sya' }));
    const app = await folder.start({ role: 'watch' });
    expect(await app.running()).toEqual({});
    expect(app.file('b.json')!.error!.message).toContain('say');
    folder.write('a.json', job('a', { evry: '1m' }));
    await app.isBroken('a.json', { line: 1 });
    expect(await app.running()).toEqual({});
  });

  test('is read by processes that run jobs', async () => {
    folder.write('a.json', job('a'));
    const app = await folder.start({}, { chronis: { autoStart: false } });
    expect(app.files.status()).toMatchObject({ watching: false, files: [] });
    await app.scheduler.start();
    expect(app.files.status()).toMatchObject({ watching: true, files: [{ file: 'a.json' }] });
    await app.scheduler.stop();
    expect(app.files.status().watching).toBe(false);
  });
});

describe('what is wrong', () => {
  test('a broken file keeps what it said before, and is told once with its line, and by health()', async () => {
    folder.write('a.json', job('a'));
    const app = await folder.start();
    folder.write('a.json', '{\n  "id": "a",\n  "schedule": \n}');
    await app.isBroken('a.json', { line: 4, message: expect.stringContaining('No JSON') });
    expect(await app.running()).toEqual({ a: 'a' });
    const { healthy, warnings } = await app.scheduler.health();
    expect([healthy, warnings]).toEqual([
      true,
      [expect.stringMatching(/a\.json:4:1: No JSON: .* What it said before stays in force\.$/)],
    ]);
    folder.write('b.json', job('b'));
    await app.runs({ a: 'a', b: 'b' });
    expect(app.heard('files.broken')).toMatchObject([{ file: 'a.json', line: 4, keeps: [{ id: 'a' }] }]);
    folder.write('a.json', job('a', { payload: 'mended' }));
    await app.runs({ a: 'mended', b: 'b' });
    expect(app.heard('files.mended')).toMatchObject([{ file: 'a.json' }]);
    expect((await app.scheduler.health()).warnings).toEqual([]);
  });

  test('an empty file keeps what it said before', async () => {
    folder.write('a.yaml', 'id: a\nschedule: "0 0 1 1 *"\nhandler: say\n');
    const app = await folder.start();
    for (const content of ['', ' \n', '# nothing yet\n']) {
      folder.write('a.yaml', content);
      await app.isBroken('a.yaml', { message: expect.stringMatching(/empty|comments only/) });
    }
    expect(await app.running()).toEqual({ a: null });
  });

  test('a file that is broken at the start leaves stored jobs of it as they are', async () => {
    folder.write('a.json', job('a'));
    folder.write('b.json', job('b'));
    await (await folder.start()).stop();
    folder.write('a.json', '{ "id": "a"');
    const app = await folder.start();
    expect(app.file('a.json')!.error!.message).toContain('No JSON');
    expect(await app.running()).toEqual({ a: 'a', b: 'b' });
  });

  test('two files with one id: both are named, and the one that had it keeps it', async () => {
    folder.write('b.json', job('a', { payload: 'first' }));
    const app = await folder.start();
    folder.write('a.json', [job('a', { payload: 'second' }), job('c')]);
    await app.isBroken('a.json', {
      message: expect.stringMatching(/Two files have the job "a": b\.json:1:1 and this one/),
    });
    expect(await app.running()).toEqual({ a: 'first' });
    rmSync(folder.path('b.json'));
    await app.runs({ a: 'second', c: 'c' });
    await app.isWell();
  });

  test('of two files that are new the older one has the id', async () => {
    folder.write('a.json', job('a', { payload: 'younger' }));
    folder.write('b.json', job('a', { payload: 'older' }));
    utimesSync(folder.path('b.json'), new Date(0), new Date(0));
    await until(() => expect(Date.now()).toBeGreaterThan(0));
    const app = await folder.start();
    expect(Object.keys(await app.running())).toEqual(['a']);
    expect(app.files.status().files.filter(({ error }) => error !== null)).toHaveLength(1);
  });

  test('an id of a job that was made at run time is told as taken, and does not stand in the way of the start', async () => {
    const first = await folder.start();
    await first.scheduler.schedule('say', { id: 'a', every: '1h' });
    await first.stop();
    folder.write('a.json', [job('a'), job('b')]);
    const app = await folder.start();
    await until(() => expect(app.file('a.json')!.jobs[0]).toMatchObject({ id: 'a', state: 'taken' }));
    await app.runs({ b: 'b' });
  });

  test('a handler that is unknown is named, and looked for again', async () => {
    folder.write('a.json', `{\n  "id": "a",\n  "every": "1h",\n  "handler": "sing"\n}`);
    const app = await folder.start();
    expect(app.file('a.json')!.error).toMatchObject({ line: 4, message: expect.stringContaining('"sing"') });
    app.scheduler.registerHandler('sing', () => undefined);
    await app.runs({ a: null });
  });

  test('a task of an unknown type, or that does not fit, is named with its line', async () => {
    const head = 'id: a\nevery: 1h\ntask:\n';
    folder.write('a.yaml', `${head}  type: execute_comand\n  command: x\n`);
    const app = await folder.start();
    expect(app.file('a.yaml')!.error).toMatchObject({
      line: 3,
      message: expect.stringContaining('execute_command'),
    });
    folder.write('a.yaml', `${head}  type: execute_command\n`);
    await app.isBroken('a.yaml', { line: 3, message: expect.stringContaining('must have a command') });
  });

  test.each<[JobFilesOptions, string]>([
    [{ directory: '' }, 'directory'],
    [{ directory: '/x', role: 'write' as never }, 'role'],
    [{ directory: '/x', scanMs: 5 }, 'scanMs'],
    [{ directory: '/x', emptyGraceMs: '2h' }, 'emptyGraceMs'],
    [{ directory: '/x', path: 'y' } as never, 'path'],
    [undefined as never, 'ChronisJobFilesModule'],
  ])('options that are wrong are refused at boot: %j', async (options, option) => {
    const { Test } = await import('@nestjs/testing');
    const module = Test.createTestingModule({
      imports: [ChronisJobFilesModule.forRoot(options), ChronisModule.forRoot()],
    });
    const error: unknown = await module.compile().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(InvalidOptionError);
    expect((error as InvalidOptionError).option).toBe(option);
  });

  test('options may come from a factory', async () => {
    const { Test } = await import('@nestjs/testing');
    folder.write('a.json', job('a'));
    mkdirSync(folder.path('sub.json'));
    const files = ChronisJobFilesModule.forRootAsync({
      useFactory: async () => ({ directory: folder.directory, role: 'watch' as const }),
    });
    const module = await Test.createTestingModule({ imports: [files, ChronisModule.forRoot()] }).compile();
    await module.close();
  });
});
