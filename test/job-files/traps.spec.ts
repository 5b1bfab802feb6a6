import { execFileSync, spawn } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { folderForEachTest, job, until, type FolderApp, type FolderApps } from './folder.app.js';

let folder: FolderApps;
folderForEachTest((fresh) => (folder = fresh));

const text = (id: string, payload: string): string => JSON.stringify(job(id, { payload }), null, 2);

/** Whatever happened on the way, it was never told that something is broken, and no job went. */
function expectCalm(app: FolderApp): void {
  expect(app.heard('files.broken')).toEqual([]);
  expect(app.heard('jobs.synced').flatMap(({ superseded }) => superseded)).toEqual([]);
}

const hasTool = (tool: string): boolean => {
  try {
    execFileSync('which', [tool]);
    return true;
  } catch {
    return false;
  }
};

describe('a file that is saved by', () => {
  const saves: [string, (path: string, content: string) => void][] = [
    [
      'vim: a probe, a backup, a new file',
      (path, content) => {
        const probe = join(path, '../4913');
        closeSync(openSync(probe, 'w'));
        unlinkSync(probe);
        writeFileSync(join(path, '../.a.json.swp'), 'b0VIM');
        renameSync(path, `${path}~`);
        writeFileSync(path, content);
        unlinkSync(`${path}~`);
        unlinkSync(join(path, '../.a.json.swp'));
      },
    ],
    [
      'nano and VS Code: truncated and written again',
      (path, content) => {
        const file = openSync(path, 'r+');
        truncateSync(path, 0);
        writeSync(file, content.slice(0, 10));
        writeSync(file, content.slice(10), 10);
        closeSync(file);
      },
    ],
    [
      'emacs: with a lock and an auto-save file',
      (path, content) => {
        symlinkSync('user@host.1234', join(path, '../.#a.json'));
        writeFileSync(join(path, '../#a.json#'), content.slice(0, 9));
        renameSync(path, `${path}~`);
        writeFileSync(path, content);
        unlinkSync(join(path, '../.#a.json'));
        unlinkSync(join(path, '../#a.json#'));
      },
    ],
    [
      'cp',
      (path, content) => {
        writeFileSync(join(path, '../../new'), content);
        execFileSync('cp', [join(path, '../../new'), path]);
      },
    ],
    [
      'mv',
      (path, content) => {
        writeFileSync(join(path, '../../new'), content);
        execFileSync('mv', [join(path, '../../new'), path]);
      },
    ],
    ['sed -i', (path) => execFileSync('sed', ['-i', 's/"old"/"new"/', path])],
  ];

  test.each(saves)('%s', async (_, save) => {
    folder.write('a.json', text('a', 'old'));
    folder.write('b.json', text('b', 'b'));
    const app = await folder.start();
    save(folder.path('a.json'), text('a', 'new'));
    await app.runs({ a: 'new', b: 'b' });
    expectCalm(app);
  });

  test.skipIf(!hasTool('rsync'))('rsync, which deletes as well', async () => {
    folder.write('a.json', text('a', 'old'));
    folder.write('b.json', text('b', 'b'));
    const app = await folder.start();
    const source = join(folder.root, 'source');
    mkdirSync(source);
    writeFileSync(join(source, 'a.json'), text('a', 'new'));
    execFileSync('rsync', ['-a', '--delete', `${source}/`, `${folder.directory}/`]);
    await app.runs({ a: 'new' });
    expect(app.heard('files.broken')).toEqual([]);
  });

  test.skipIf(!hasTool('git'))('git checkout, to and fro', async () => {
    const git = (...args: string[]): string =>
      execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', '-C', folder.directory, ...args], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      });
    git('init', '-q', '-b', 'one');
    folder.write('a.json', text('a', 'one'));
    folder.write('b.json', text('b', 'one'));
    git('add', '.');
    git('commit', '-qm', 'one');
    git('checkout', '-qb', 'two');
    folder.write('a.json', text('a', 'two'));
    rmSync(folder.path('b.json'));
    folder.write('c.json', text('c', 'two'));
    git('add', '-A');
    git('commit', '-qm', 'two');
    const app = await folder.start();
    expect(await app.running()).toEqual({ a: 'two', c: 'two' });
    git('checkout', '-q', 'one');
    await app.runs({ a: 'one', b: 'one' });
    git('checkout', '-q', 'two');
    await app.runs({ a: 'two', c: 'two' });
    expect(app.heard('files.broken')).toEqual([]);
  });
});

describe('a file that', () => {
  test('is written for five seconds, by another process, keeps what it said before until it is whole', async () => {
    folder.write('a.json', text('a', 'old'));
    const app = await folder.start();
    const script = `
      const { openSync, writeSync, closeSync } = require('node:fs');
      const [, path, content] = process.argv;
      const file = openSync(path, 'w');
      const parts = content.match(/[^]{1,8}/g);
      let nth = 0;
      const timer = setInterval(() => {
        if (nth === parts.length) { clearInterval(timer); closeSync(file); return; }
        writeSync(file, parts[nth++]);
      }, 5000 / parts.length);`;
    const writer = spawn(process.execPath, ['-e', script, folder.path('a.json'), text('a', 'new')]);
    let written = false;
    const exit = once(writer, 'exit').then(() => (written = true));
    while (!written) {
      const seen = await app.running();
      // It may be whole a moment before the writer is gone.
      expect(['old', 'new']).toContain(seen.a);
      await Promise.race([exit, pause(50)]);
    }
    await app.runs({ a: 'new' });
    await app.isWell();
  });

  test('changes within one tick of its time, with the same size', async () => {
    folder.write('a.json', text('a', 'old'));
    const app = await folder.start();
    const at = new Date();
    utimesSync(folder.path('a.json'), at, at);
    await until(async () => expect(await app.running()).toEqual({ a: 'old' }));
    for (const payload of ['aaa', 'bbb', 'ccc']) {
      folder.write('a.json', text('a', payload));
      utimesSync(folder.path('a.json'), at, at);
      await app.runs({ a: payload });
    }
  });

  test('exchanges its content with another one', async () => {
    folder.write('a.json', text('a', 'a'));
    folder.write('b.json', text('b', 'b'));
    const app = await folder.start();
    renameSync(folder.path('a.json'), folder.path('.c'));
    renameSync(folder.path('b.json'), folder.path('a.json'));
    renameSync(folder.path('.c'), folder.path('b.json'));
    await until(() => expect(app.file('a.json')!.jobs).toMatchObject([{ id: 'b' }]));
    expect(app.file('b.json')!.jobs).toMatchObject([{ id: 'a' }]);
    expect(await app.running()).toEqual({ a: 'a', b: 'b' });
    expectCalm(app);
  });

  test('gets another name keeps its jobs', async () => {
    folder.write('a.json', text('a', 'a'));
    folder.write('b.json', text('b', 'b'));
    const app = await folder.start();
    const { revision } = (await app.scheduler.getJob('b'))!;
    renameSync(folder.path('a.json'), folder.path('z.json'));
    await until(() => expect(app.file('z.json')?.jobs).toMatchObject([{ id: 'a' }]));
    await until(() => expect(app.file('a.json')).toBeUndefined());
    await app.runs({ a: 'a', b: 'b' });
    expect((await app.scheduler.getJob('b'))!.revision).toBe(revision);
    expectCalm(app);
  });

  test('is a link to a file elsewhere is followed with that', async () => {
    const target = join(folder.root, 'target.json');
    writeFileSync(target, text('a', 'old'));
    symlinkSync(target, folder.path('a.json'));
    folder.write('b.json', text('b', 'b'));
    const app = await folder.start();
    expect(await app.running()).toEqual({ a: 'old', b: 'b' });
    writeFileSync(target, text('a', 'new'));
    await app.runs({ a: 'new', b: 'b' });
    unlinkSync(target);
    await app.isBroken('a.json', { message: 'It is a link that leads nowhere.' });
    expect(await app.running()).toEqual({ a: 'new', b: 'b' });
    writeFileSync(target, text('a', 'newer'));
    await app.runs({ a: 'newer', b: 'b' });
  });

  test('cannot be read, or is none, keeps what it said before', async () => {
    for (const id of ['a', 'b', 'c']) folder.write(`${id}.json`, text(id, id));
    const app = await folder.start();
    rmSync(folder.path('a.json'));
    mkdirSync(folder.path('a.json'));
    rmSync(folder.path('b.json'));
    symlinkSync('b.json', folder.path('b.json'));
    await app.isBroken('a.json', { message: 'It is no file, though it is called like one.' });
    await app.isBroken('b.json', { message: expect.stringContaining('ELOOP') });
    execFileSync('rm', [folder.path('c.json')]);
    execFileSync('mkfifo', [folder.path('c.json')]);
    await app.isBroken('c.json', { message: 'It is no file, though it is called like one.' });
    expect(await app.running()).toEqual({ a: 'a', b: 'b', c: 'c' });
    // A pipe without a writer would have stopped it.
    folder.write('d.json', text('d', 'd'));
    await app.runs({ a: 'a', b: 'b', c: 'c', d: 'd' });
  });
});

describe('a folder that', () => {
  test('is exchanged as a whole by ln -sfn', async () => {
    const releases = [1, 2].map((nth) => join(folder.root, `release-${nth}`));
    releases.forEach((path, nth) => {
      mkdirSync(path);
      for (const id of ['a', 'b']) writeFileSync(join(path, `${id}.json`), text(id, `release ${nth + 1}`));
    });
    const link = join(folder.root, 'current');
    symlinkSync(releases[0]!, link);
    const app = await folder.start({ directory: link });
    expect(await app.running()).toEqual({ a: 'release 1', b: 'release 1' });
    for (const nth of [1, 0, 1]) {
      execFileSync('ln', ['-sfn', releases[nth]!, link]);
      await app.runs({ a: `release ${nth + 1}`, b: `release ${nth + 1}` });
    }
    expectCalm(app);
  });

  test('is a ConfigMap that is exchanged 50 times never has jobs of two versions', async () => {
    const version = (nth: number): void => {
      const data = `..2026_${nth}`;
      mkdirSync(folder.path(data));
      for (const id of ['a', 'b', 'c'])
        writeFileSync(folder.path(`${data}/${id}.json`), text(id, String(nth)));
      symlinkSync(data, folder.path('..data_tmp'));
      renameSync(folder.path('..data_tmp'), folder.path('..data'));
      if (nth > 0) rmSync(folder.path(`..2026_${nth - 1}`), { recursive: true });
    };
    version(0);
    for (const id of ['a', 'b', 'c']) symlinkSync(`..data/${id}.json`, folder.path(`${id}.json`));
    const app = await folder.start();
    const mixed: unknown[] = [];
    for (let nth = 1; nth <= 50; nth++) {
      version(nth);
      for (let looks = 0; looks < 4; looks++) {
        const seen = await app.running();
        if (new Set(Object.values(seen)).size !== 1 || Object.keys(seen).length !== 3) mixed.push(seen);
        await pause(15);
      }
    }
    await app.runs({ a: '50', b: '50', c: '50' });
    expect(mixed).toEqual([]);
    expectCalm(app);
  });

  test('is unmounted and mounted again deletes nothing, and is told', async () => {
    for (const id of ['a', 'b']) folder.write(`${id}.json`, text(id, id));
    const app = await folder.start();
    // What a mount point is without its volume.
    const volume = join(folder.root, 'volume');
    renameSync(folder.directory, volume);
    mkdirSync(folder.directory);
    await until(() => expect(app.files.status().problem?.message).toContain('is empty'));
    expect(await app.running()).toEqual({ a: 'a', b: 'b' });
    expect((await app.scheduler.health()).warnings).toEqual([expect.stringContaining('is empty')]);
    rmSync(folder.directory, { recursive: true });
    await until(() => expect(app.files.status().problem?.message).toContain('ENOENT'));
    renameSync(volume, folder.directory);
    folder.write('c.json', text('c', 'c'));
    await app.runs({ a: 'a', b: 'b', c: 'c' });
    await app.isWell();
    expect(app.heard('files.unreadable')).toHaveLength(2);
    expect(app.heard('files.readable')).toHaveLength(1);
    expectCalm(app);
  });

  test('stays empty ends its jobs then, and not before', async () => {
    folder.write('a.json', text('a', 'a'));
    const app = await folder.start({ emptyGraceMs: '2s' });
    rmSync(folder.path('a.json'));
    await until(() => expect(app.files.status().problem?.message).toContain('believed'));
    const { since } = app.files.status().problem!;
    await app.runs({});
    expect(Date.now() - since.getTime()).toBeGreaterThanOrEqual(1_900);
    await app.isWell();
  });

  test('is empty, or not there, at the start deletes nothing of what is stored', async () => {
    folder.write('a.json', text('a', 'a'));
    await (await folder.start()).stop();
    renameSync(folder.path('a.json'), join(folder.root, 'a.json'));
    const second = await folder.start();
    expect(await second.running()).toEqual({ a: 'a' });
    await second.stop();
    rmSync(folder.directory, { recursive: true });
    const third = await folder.start();
    expect(await third.running()).toEqual({ a: 'a' });
    mkdirSync(folder.directory);
    copyFileSync(join(folder.root, 'a.json'), folder.path('b.json'));
    folder.write('c.json', text('c', 'c'));
    await third.runs({ a: 'a', c: 'c' });
  });

  test('has a thousand files', async () => {
    for (let nth = 0; nth < 1_000; nth++) folder.write(`${nth}.json`, text(`job-${nth}`, 'old'));
    const app = await folder.start();
    await until(async () => expect(await app.scheduler.countJobs({ source: 'code' })).toBe(1_000));
    const began = performance.now();
    folder.write('500.json', text('job-500', 'new'));
    await until(async () => expect((await app.scheduler.getJob('job-500'))!.payload).toBe('new'));
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  test('has other things in it', async () => {
    folder.write('a.json', text('a', 'a'));
    for (const name of [
      'README.md',
      'a.json~',
      'a.json.bak',
      '.b.json',
      '#c.json#',
      'd.json.tmp',
      '4913',
      'e~.json',
    ])
      folder.write(name, text('other', name));
    mkdirSync(folder.path('sub'));
    writeFileSync(folder.path('sub/f.json'), text('f', 'f'));
    const app = await folder.start();
    expect(app.files.status().files.map(({ file }) => file)).toEqual(['a.json']);
    appendFileSync(folder.path('README.md'), 'more');
    expect(await app.running()).toEqual({ a: 'a' });
  });
});

test('files that are nested without end, by themselves or by aliases, are broken and nothing else is', async () => {
  const lists = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);
  const task = (args: string): string =>
    `{"id":"b","every":"1h","task":{"type":"execute_command","command":"x","args":${args}}}`;
  const chain = Array.from({ length: 50 }, (_, nth) => {
    const inside = nth === 0 ? 'x' : `*a${nth - 1}`;
    return `- &a${nth} ${'['.repeat(400)}${inside}${']'.repeat(400)}`;
  });
  folder.write('good.json', job('good'));
  folder.write('deep.json', lists(200_000));
  folder.write('deepy.yaml', '['.repeat(20_000));
  folder.write('deeptask.json', task(lists(9_000)));
  folder.write('aliases.yaml', `id: c\nevery: 1h\nhandler: say\npayload:\n${chain.join('\n')}\n`);
  folder.write('nearly.json', job('d', { payload: JSON.parse(lists(501)) as unknown }));
  const app = await folder.start();
  for (const name of ['deep.json', 'deepy.yaml', 'deeptask.json', 'aliases.yaml', 'nearly.json']) {
    await app.isBroken(name, {
      message: expect.stringMatching(/nested more than \d+ levels deep|^The aliases/),
    });
    expect(app.file(name)!.error!.message.length).toBeLessThan(200);
  }
  await app.runs({ good: 'good' });
});
