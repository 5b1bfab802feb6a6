import assert from 'node:assert/strict';
import type { StandingCursor } from '../../index.js';
import { lawsOf } from '../law.js';
import {
  addOneOff,
  addRecurring,
  fireOne,
  hour,
  jobOf,
  minute,
  ref,
  settle,
  startWorker,
} from './fixture.js';

const later = ({ nextAt }: StandingCursor): number => nextAt + hour;

export const zoneLaws = lawsOf('zone data', {
  'are only noted by the first caller': async ({ storage }) => {
    const job = await addRecurring(storage, { dueInMs: hour });
    const result = await storage.recomputeCursors('2026a', later);
    assert.deepEqual(result, { from: null, moved: [] });
    assert.deepEqual((await jobOf(storage)).nextRunAt, job.nextRunAt);
  },

  'move cursors once, for all callers, when they are newer': async ({ storage, open }) => {
    const other = await open();
    const job = await addRecurring(storage, { dueInMs: hour });
    await storage.recomputeCursors('2026a', later);
    const results = await Promise.all([storage, other].map((one) => one.recomputeCursors('2026b', later)));
    const from = job.nextRunAt!.getTime();
    assert.deepEqual(
      results.filter((result) => result.from !== null),
      [{ from: '2026a', moved: [{ ...ref('job'), from, to: from + hour }] }],
    );
    assert.equal((await jobOf(storage)).nextRunAt!.getTime(), from + hour);
    assert.deepEqual(await storage.recomputeCursors('2026b', later), { from: null, moved: [] });
  },

  'that are older change nothing': async ({ storage }) => {
    await addRecurring(storage, { dueInMs: hour });
    await storage.recomputeCursors('2026b', later);
    assert.deepEqual(await storage.recomputeCursors('2026a', later), { from: null, moved: [] });
    assert.deepEqual(await storage.recomputeCursors('2026b', later), { from: null, moved: [] });
  },

  'leave alone what stays where it is, and end what belongs nowhere': async ({ storage }) => {
    await addRecurring(storage, { id: 'stays', dueInMs: hour });
    await addRecurring(storage, { id: 'ends', dueInMs: hour });
    await addOneOff(storage, { id: 'one-off', dueInMs: hour });
    await storage.recomputeCursors('2026a', later);
    const seen: string[] = [];
    const { moved } = await storage.recomputeCursors('2026b', ({ id, nextAt }) => {
      seen.push(id);
      return id === 'ends' ? null : nextAt;
    });
    assert.deepEqual(seen.toSorted(), ['ends', 'stays']);
    assert.deepEqual(
      moved.map(({ id, to }) => [id, to]),
      [['ends', null]],
    );
    assert.equal((await jobOf(storage, 'ends')).nextRunAt, null);
  },

  'are applied from the last instant that was dealt with': async ({ storage, clock }) => {
    await addRecurring(storage, { dueInMs: minute });
    await storage.recomputeCursors('2026a', later);
    await clock.advance(2 * minute);
    const worker = await startWorker(storage);
    const run = await fireOne(storage, worker);
    await settle(storage, run);
    let since = 0;
    await storage.recomputeCursors('2026b', (cursor) => {
      since = cursor.since;
      return cursor.nextAt;
    });
    assert.equal(since, run.nominalAt);
  },

  'void what was planned for the old time': async ({ storage }) => {
    await addRecurring(storage);
    const worker = await startWorker(storage);
    await storage.recomputeCursors('2026a', later);
    const { cursors } = await storage.dueCursors(worker, 10);
    await storage.recomputeCursors('2026b', later);
    const firings = cursors.map(({ jobUid, nominalAt, revision }) => ({
      ...{
        jobUid,
        nominalAt,
        revision,
        nextAt: nominalAt + minute,
        until: nominalAt,
        fired: 1,
        overlap: 'skip' as const,
      },
      births: [{ nominalAt, dueAt: nominalAt, missed: 0 }],
      gaps: [],
    }));
    assert.deepEqual((await storage.fire(worker, firings, 10)).moved, []);
  },
});
