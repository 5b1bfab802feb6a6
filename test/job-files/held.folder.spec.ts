import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { logSentences } from '../../lib/events/log.sentences.js';
import { folderForEachTest, job, until, type FolderApps } from './folder.app.js';

let folder: FolderApps;
folderForEachTest((fresh) => (folder = fresh));

const scanMs = 100;
/** So many looks find the same. */
const looks = 5;

/** Where the files are meanwhile. */
const away = (): string => join(folder.root, 'away');

function moveFiles(from: string, to: string): void {
  for (const name of readdirSync(from)) renameSync(join(from, name), join(to, name));
}

interface Loss {
  take: () => void;
  giveBack: () => void;
  /** How the problem is told. */
  says: string;
}

const vanish = (): void => renameSync(folder.directory, away());

const losses: [is: string, loss: Loss][] = [
  [
    'empty',
    {
      take: () => {
        mkdirSync(away());
        moveFiles(folder.directory, away());
      },
      giveBack: () => moveFiles(away(), folder.directory),
      says: 'is empty. That is believed when it has been so for 600 s.',
    },
  ],
  [
    'unreadable',
    {
      take: () => {
        vanish();
        // Root may read every folder, and a file is none.
        writeFileSync(folder.directory, '');
      },
      giveBack: () => {
        rmSync(folder.directory);
        renameSync(away(), folder.directory);
      },
      says: 'cannot be read: ENOTDIR',
    },
  ],
  [
    'gone',
    { take: vanish, giveBack: () => renameSync(away(), folder.directory), says: 'cannot be read: ENOENT' },
  ],
];

test.each(losses)(
  'a folder that is suddenly %s keeps its jobs and is told once, and is told once to be followed again',
  async (_, { take, giveBack, says }) => {
    for (const id of ['a', 'b', 'c']) folder.write(`${id}.json`, job(id));
    const app = await folder.start({ emptyGraceMs: '10m', scanMs });
    take();
    await until(() => expect(app.files.status().problem?.message).toContain(says));
    const { since } = app.files.status().problem!;
    await until(() => expect(Date.now() - since.getTime()).toBeGreaterThan(looks * scanMs));
    expect(await app.running()).toEqual({ a: 'a', b: 'b', c: 'c' });
    expect((await app.scheduler.health()).warnings).toEqual([expect.stringContaining(says)]);
    expect(app.files.status().problem).toMatchObject({ since });
    expect(app.heard('files.unreadable')).toMatchObject([{ directory: folder.directory, jobs: 3 }]);
    expect(app.heard('files.readable')).toEqual([]);

    writeFileSync(join(away(), 'a.json'), JSON.stringify(job('a', { payload: 'new' })));
    rmSync(join(away(), 'b.json'));
    writeFileSync(join(away(), 'd.json'), JSON.stringify(job('d')));
    giveBack();
    await app.runs({ a: 'new', c: 'c', d: 'd' });
    await app.isWell();
    expect((await app.scheduler.health()).warnings).toEqual([]);
    expect(app.heard('files.unreadable')).toHaveLength(1);
    expect(app.heard('files.readable')).toEqual([{ directory: folder.directory }]);
    expect(logSentences['files.readable']!(app.heard('files.readable')[0]!)).toEqual({
      level: 'log',
      text: `The folder of job files ${folder.directory} is followed again.`,
    });
  },
);
