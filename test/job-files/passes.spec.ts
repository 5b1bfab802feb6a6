import { mkdtempSync, rmSync, watch, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Clock, type ChronisEvents, type JobDeclarations, type ListedJob } from '../../lib/index.js';
import { ChronisJobFiles } from '../../lib/job-files/job.files.js';
import { jobFilesSettings } from '../../lib/job-files/job.files.options.js';
import { job, until } from './folder.app.js';

/** Timers go off when they are told to; else the time is real. */
class HeldClock extends Clock {
  isHeld = false;
  readonly held = new Set<() => void>();

  now(): number {
    return Date.now();
  }
  monotonic(): number {
    return performance.now();
  }
  setTimer(delayMs: number, callback: () => void): () => void {
    if (this.isHeld) {
      this.held.add(callback);
      return () => void this.held.delete(callback);
    }
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  }
  goOff(): void {
    for (const callback of this.held) {
      this.held.delete(callback);
      callback();
    }
  }
}

let directory: string;
let clock: HeldClock;
let files: ChronisJobFiles;
/** What was read, and declared, each time. */
let read: unknown[];
let declared: unknown[][];
let atOnce: number;
/** A check waits for it. */
let gate: Promise<void>;
let open: () => void;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'passes-'));
  clock = new HeldClock();
  [read, declared, atOnce] = [[], [], 0];
  gate = new Promise((resolve) => (open = resolve));
  let checks = 0;
  const declarations = {
    list: () => ({
      read: async ({ id, payload }: { id: string; payload: unknown }): Promise<unknown> => {
        read.push(payload);
        atOnce = Math.max(atOnce, ++checks);
        // The first one takes long.
        if (read.length === 1) await gate;
        checks--;
        return { namespace: 'default', id, payload };
      },
      declare: (jobs: readonly ListedJob[]) => {
        const payloads = jobs.map((each) => (each as unknown as { payload: unknown }).payload);
        // A look that is before the file is settled finds no job.
        if (payloads.length > 0) declared.push(payloads);
        return [];
      },
    }),
  } as unknown as JobDeclarations;
  const events = { on: () => () => undefined, emit: () => undefined } as unknown as ChronisEvents;
  files = new ChronisJobFiles(jobFilesSettings({ directory }), declarations, events, clock);
});

afterEach(async () => {
  open();
  await files.end();
  rmSync(directory, { recursive: true });
});

const write = (version: number): void =>
  writeFileSync(join(directory, 'a.json'), JSON.stringify(job('a', { payload: version })));

test('what changes while the first look goes on is declared after it, and stays', async () => {
  write(1);
  const begun = files.begin();
  await until(() => expect(read).toEqual([1]));
  const watcher = watch(directory);
  const changed = once(watcher, 'change');
  write(2);
  await changed;
  watcher.close();
  // Long enough for a second look to begin, where nothing keeps it from it.
  await Promise.race([until(() => expect(read).toHaveLength(2)), pause(600)]);
  open();
  await begun;
  await until(() => expect(declared).toEqual([[1], [2]]));
  expect(atOnce).toBe(1);
});

test('the end waits for what the first look is about, and nothing is declared after it', async () => {
  write(1);
  const begun = files.begin();
  await until(() => expect(read).toEqual([1]));
  let isEnded = false;
  const ended = files.end().then(() => (isEnded = true));
  // It has all turns that it needs, were it not to wait.
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(isEnded).toBe(false);
  open();
  await ended;
  const before = [...declared];
  await begun;
  write(2);
  expect(declared).toEqual(before);
});

test('an end while the first look waits for files that are being written is the end', async () => {
  clock.isHeld = true;
  open();
  write(1);
  const begun = files.begin();
  await until(() => expect(clock.held.size).toBe(1));
  expect(read).toEqual([]);
  const ended = files.end();
  await pause(200);
  clock.goOff();
  await ended;
  await begun;
  expect({ read, declared, timers: clock.held.size }).toEqual({ read: [], declared: [], timers: 0 });
  expect(files.status().watching).toBe(false);
});
