import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { flaky } from '../../lib/testing/index.js';
import { newStorage } from '../support/postgres.subject.js';
import { freshSchema } from '../support/schema.js';
import { folderForEachTest, job, until, type FolderApp, type FolderApps } from './folder.app.js';

let folder: FolderApps;
folderForEachTest((fresh) => (folder = fresh));

const edits = Number(process.env.CHRONIS_FILE_EDITS ?? 200);
const seed = Number(process.env.CHRONIS_FILE_SEED ?? 7);
const editsBetween = 25;
const names = ['a.json', 'b.yaml', 'c.json', 'd.yml', 'e.json', 'f.json'];

/** The same numbers for the same seed (mulberry32). */
function randomOf(from: number): (below: number) => number {
  let state = from;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** What is in the folder, as whoever edits it means it: file → id → payload. null: the file is broken. */
type Content = Map<string, Record<string, string> | null>;

class Editor {
  readonly content: Content = new Map();
  private nth = 0;
  private isMounted = true;
  /** Of an editor that is slow. */
  private rest: (() => void) | null = null;

  constructor(
    readonly random: (below: number) => number,
    private readonly where: FolderApps,
  ) {}

  /** One edit, however it is done. */
  edit(): void {
    this.finish();
    const name = names[this.random(names.length)]!;
    const kinds = [
      'write',
      'write',
      'write',
      'replace',
      'delete',
      'rename',
      'break',
      'half',
      'other',
      'mount',
    ];
    const kind = kinds[this.random(kinds.length)]!;
    if (!this.isMounted || kind === 'mount') return this.mount();
    if (kind === 'write') return this.put(name, (path, text) => writeFileSync(path, text));
    if (kind === 'replace') return this.put(name, replace);
    if (kind === 'half') return this.put(name, (path, text) => this.begin(path, text));
    if (kind === 'other') return this.where.write(`.${name}.swp`, 'other');
    if (!existsSync(this.where.path(name))) return this.put(name, replace);
    // The last file stays, as an empty folder is not believed for a while.
    if (kind === 'delete' && this.content.size > 1) {
      rmSync(this.where.path(name));
      this.content.delete(name);
    } else if (kind === 'rename') {
      this.rename(name);
    } else {
      this.where.write(name, ['', '{ "id": ', 'id: [a', '\0'][this.random(4)]!);
      this.content.set(name, null);
    }
  }

  /** Nothing is broken any more. */
  mend(): void {
    this.finish();
    if (!this.isMounted) this.mount();
    for (const [name, jobs] of this.content) if (jobs === null) this.put(name, replace);
    if (this.content.size === 0) this.put(names[0]!, replace);
  }

  get expected(): Record<string, string> {
    return Object.assign({}, ...this.content.values()) as Record<string, string>;
  }

  private put(name: string, save: (path: string, text: string) => void): void {
    // No two files have one id, which would be a matter of who was seen first.
    const taken = new Set(
      [...this.content].flatMap(([file, jobs]) => (file === name ? [] : Object.keys(jobs ?? {}))),
    );
    const jobs: Record<string, string> = {};
    for (let i = this.random(3); i >= 0; i--) {
      const id = `job-${this.random(12)}`;
      if (!taken.has(id)) jobs[id] = `${++this.nth}`;
    }
    const list = Object.entries(jobs).map(([id, payload]) => job(id, { payload }));
    save(this.where.path(name), JSON.stringify(list.length === 1 ? list[0] : list));
    this.content.set(name, jobs);
  }

  /** One half now, all of it with the next edit. */
  private begin(path: string, text: string): void {
    writeFileSync(path, text.slice(0, text.length / 2));
    this.rest = () => writeFileSync(path, text);
  }

  private finish(): void {
    this.rest?.();
    this.rest = null;
  }

  private rename(name: string): void {
    const to = names[this.random(names.length)]!;
    if (to === name) return;
    renameSync(this.where.path(name), this.where.path(to));
    this.content.set(to, this.content.get(name)!);
    this.content.delete(name);
  }

  /** The volume goes, or comes back. */
  private mount(): void {
    const { directory, root } = this.where;
    const volume = join(root, 'volume');
    if (this.isMounted) {
      renameSync(directory, volume);
      if (this.random(2) === 0) mkdirSync(directory);
    } else {
      rmSync(directory, { recursive: true, force: true });
      renameSync(volume, directory);
    }
    this.isMounted = !this.isMounted;
  }
}

function replace(path: string, text: string): void {
  writeFileSync(`${path}.tmp`, text);
  renameSync(`${path}.tmp`, path);
}

test.each(['memory', 'postgres'])(
  `after ${edits} random edits under fault what runs is what is in the folder (%s)`,
  { timeout: 300_000 },
  async (kind) => {
    const random = randomOf(seed);
    const schema = freshSchema('files');
    const open = folder.storage;
    let opened = 0;
    folder.storage = async () =>
      flaky(kind === 'memory' ? await open() : newStorage({ schema }), {
        seed: seed + ++opened,
        may: (method) => ['syncDefinitions', 'syncedSet', 'renew', 'claim'].includes(method),
        // A sync that fails is tried again after seconds.
        ...{ before: 0.02, during: 0.01, after: 0.02 },
      });
    const editor = new Editor(random, folder);
    editor.mend();
    const apps = [await begin(), await begin()];
    for (let nth = 1; nth <= edits; nth++) {
      editor.edit();
      if (random(4) === 0) await pause(random(250));
      if (random(25) === 0) {
        const which = random(2);
        await apps[which]!.stop();
        apps[which] = await begin();
      }
      if (nth % editsBetween !== 0) continue;
      editor.mend();
      const { expected } = editor;
      await until(async () => expect([nth, await apps[0]!.running()]).toEqual([nth, expected]), 40_000);
      for (const app of apps) await app.isWell();
    }
  },
);

/** A start that meets a fault is tried again. */
async function begin(): Promise<FolderApp> {
  for (let tries = 1; ; tries++) {
    try {
      return await folder.start();
    } catch (error) {
      if (tries === 5) throw error;
    }
  }
}
