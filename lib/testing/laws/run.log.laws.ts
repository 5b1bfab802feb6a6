import assert from 'node:assert/strict';
import type { ClaimedRun, NewRunLogPart, StorageAdapter } from '../../index.js';
import { lawsOf } from '../law.js';
import {
  addOneOff,
  addRecurring,
  claimOne,
  day,
  fireOne,
  hour,
  pruneAll,
  second,
  settle,
  startWorker,
  type Held,
} from './fixture.js';

const halfOfAll = 500;
const partLines = 250;

/** What an attempt writes at once; `messages`: or how many lines. */
async function part(
  storage: StorageAdapter,
  { id: runId, fence, worker, attempt = 1 }: Held & { attempt?: number },
  nth: number,
  messages: readonly string[] | number,
  given: Partial<NewRunLogPart> = {},
): Promise<NewRunLogPart> {
  const at = await storage.now();
  const texts =
    typeof messages === 'number' ? Array.from({ length: messages }, (_, line) => `${nth}.${line}`) : messages;
  const lines = texts.map((message) => ({ at, level: 'log' as const, message }));
  return { runId, fence, worker, attempt, part: nth, lines, bytes: 10 * lines.length, dropped: 0, ...given };
}

async function begun(storage: StorageAdapter, id = 'job', policies = {}): Promise<ClaimedRun> {
  await addOneOff(storage, { id, policies });
  return claimOne(storage, await startWorker(storage));
}

async function messages(storage: StorageAdapter, { id }: { id: string }): Promise<string[]> {
  const parts = await storage.runLogs!.read(id, null);
  return parts.flatMap(({ lines }) => lines.map(({ message }) => message));
}

/** Of storages that keep what runs log; the others are in order. */
export const runLogLaws = lawsOf('logs of runs', {
  'are kept as they were written, in their order': async ({ storage }) => {
    if (storage.runLogs === undefined) return;
    const run = await begun(storage);
    const at = await storage.now();
    const lines = [
      { at, level: 'warn' as const, message: 'a "b"\n☃', fields: { amount: 1.5, of: ['x', null] } },
      { at, level: 'verbose' as const, message: '', cut: true as const },
    ];
    const later = await part(storage, run, 1, ['later'], { dropped: 3 });
    const first = await part(storage, run, 0, [], { lines, bytes: 77 });
    await storage.runLogs.append([later, first]);
    const read = await storage.runLogs.read(run.id, null);
    const asRead = ({ attempt, fence, part: nth, lines: kept, bytes, dropped }: NewRunLogPart) => ({
      ...{ attempt, fence, part: nth, lines: kept, bytes, dropped },
    });
    assert.deepEqual(read, [asRead(first), asRead(later)]);
    assert.deepEqual(await storage.runLogs.read(run.id, { fence: run.fence, part: 0 }), [asRead(later)]);
    assert.deepEqual(await storage.runLogs.read(run.id, { fence: run.fence, part: 1 }), []);
    assert.deepEqual(await storage.runLogs.read('0', null), []);
    assert.deepEqual(await storage.runLogs.read('none', null), []);
  },

  'have what is written twice once': async ({ storage }) => {
    if (storage.runLogs === undefined) return;
    const run = await begun(storage);
    await storage.runLogs.append([await part(storage, run, 0, ['a'])]);
    await storage.runLogs.append([await part(storage, run, 0, ['a']), await part(storage, run, 1, ['b'])]);
    assert.deepEqual(await messages(storage, run), ['a', 'b']);
  },

  'of several attempts come one after the other': async ({ storage }) => {
    if (storage.runLogs === undefined) return;
    const first = await begun(storage);
    await storage.runLogs.append([await part(storage, first, 0, ['one'])]);
    await settle(storage, first, { outcome: 'failed', error: 'boom', retryInMs: -second });
    const again = await claimOne(storage, await startWorker(storage));
    await storage.runLogs.append([await part(storage, again, 0, ['two'])]);
    assert.deepEqual(await messages(storage, first), ['one', 'two']);
    const read = await storage.runLogs.read(first.id, { fence: first.fence, part: 0 });
    assert.deepEqual(
      read.map(({ attempt }) => attempt),
      [2],
    );
  },

  'take what an attempt has left when it has ended, and keep it when the run is gone': async ({
    storage,
  }) => {
    if (storage.runLogs === undefined) return;
    await addRecurring(storage);
    const run = await fireOne(storage, await startWorker(storage));
    await settle(storage, run);
    await storage.runLogs.append([await part(storage, run, 0, ['last words'])]);
    assert.deepEqual(await messages(storage, run), ['last words']);
  },

  'take nothing from who has lost the run, nor from who never had it': async ({ storage }) => {
    if (storage.runLogs === undefined) return;
    await addOneOff(storage);
    const dying = await startWorker(storage, { leaseMs: second });
    const lost = await claimOne(storage, dying);
    await storage.unregister(dying.workerId);
    await storage.releaseLost();
    await storage.runLogs.append([await part(storage, lost, 0, ['stale'])]);
    assert.deepEqual(await messages(storage, lost), []);
    const mine = await claimOne(storage, await startWorker(storage));
    const strangers = [
      { ...mine, fence: mine.fence + 1 },
      { ...mine, worker: 'somebody' },
      { ...mine, fence: lost.fence, worker: lost.worker },
    ];
    for (const stranger of strangers) {
      const [theirs, own] = [
        await part(storage, stranger, 0, ['no']),
        await part(storage, mine, 0, ['mine']),
      ];
      await storage.runLogs.append([theirs, own]);
    }
    assert.deepEqual(await messages(storage, mine), ['mine']);
  },

  'keep the first and the last of too many lines, and say how many are missing': async ({ storage }) => {
    if (storage.runLogs === undefined) return;
    const run = await begun(storage);
    for (let nth = 0; nth < 9; nth++) {
      await storage.runLogs.append([
        await part(storage, run, nth, partLines, { dropped: nth === 4 ? 7 : 0 }),
      ]);
    }
    const read = await storage.runLogs.read(run.id, null);
    assert.deepEqual(
      read.map((each) => [each.part, each.dropped]),
      [
        [0, 0],
        [1, 0],
        [7, 5 * partLines + 7],
        [8, 0],
      ],
    );
    const first = read[0]!.lines.length + read[1]!.lines.length;
    assert.equal(first, halfOfAll);
    // The rest of another run is untouched.
    const other = await begun(storage, 'other');
    await storage.runLogs.append([await part(storage, other, 0, ['x'])]);
    assert.deepEqual(await messages(storage, other), ['x']);
  },

  'keep no more bytes than that either': async ({ storage }) => {
    if (storage.runLogs === undefined) return;
    const run = await begun(storage);
    for (let nth = 0; nth < 6; nth++) {
      await storage.runLogs.append([await part(storage, run, nth, ['x'], { bytes: 65_536 })]);
    }
    assert.deepEqual(
      (await storage.runLogs.read(run.id, null)).map((each) => each.part),
      [0, 1, 4, 5],
    );
  },

  'go with the ledger': async ({ storage }) => {
    if (storage.runLogs === undefined) return;
    const run = await begun(storage);
    const now = await storage.now();
    const at = (ms: number) => ({ lines: [{ at: ms, level: 'log' as const, message: `${now - ms}` }] });
    await storage.runLogs.append([
      await part(storage, run, 0, [], at(now - 2 * day)),
      await part(storage, run, 1, [], at(now - hour)),
    ]);
    await settle(storage, run);
    await pruneAll(storage, {}, day);
    assert.deepEqual(await messages(storage, run), [`${hour}`]);
  },
});
