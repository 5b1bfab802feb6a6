import { describe, expect, test } from 'vitest';
import type { DeclaredJob } from '../../lib/discovery/declared.job.js';
import { planSync, type SyncRules } from '../../lib/discovery/sync.plan.js';
import type { TriggerInput } from '../../lib/model/trigger.js';
import type { CarriedSet, DefinitionChange, StoredDefinition } from '../../lib/ports/storage.adapter.js';
import { definitionHash } from '../../lib/scheduler/definition.hash.js';
import { defineJob, type JobInput } from '../../lib/scheduler/job.definition.js';

const now = Date.parse('2026-01-01T12:00:00Z');
const created = now - 3_600_000;
const rules: SyncRules = {
  app: 'shop',
  previousApps: [],
  orphans: 'keep',
  orphanGraceMs: 600_000,
  calendars: {},
  lists: { knows: () => false },
};
const hourly: TriggerInput = { type: 'cron', expression: '0 * * * *' };

function declared(id: string, given: Partial<JobInput> = {}, previousIds: string[] = []): DeclaredJob {
  const input = { id, handler: `${id}.run`, trigger: hourly, options: {}, ...given };
  const definition = defineJob(input, { timeZone: 'UTC', payloadLimit: 1_000, calendars: {} }, now);
  return { definition, hash: definitionHash(definition), previousIds, place: `${id}.run` };
}

/** What live workers carry: that appeared at this place. */
function carried(place: number, ...jobs: DeclaredJob[]): CarriedSet {
  const declarations = jobs.map(({ definition: { namespace, id, handler }, hash, previousIds }) => ({
    ...{ namespace, id, hash, handler, previousIds },
    place,
  }));
  return { place, declarations, carriedUntil: null };
}

/** As the sync stored it an hour ago. */
function stored(job: DeclaredJob, given: Partial<StoredDefinition> = {}): StoredDefinition {
  const [change] = planSync([job], [], [carried(1, job)], created, rules).changes;
  if (change?.kind !== 'insert') throw new Error('What is new is inserted.');
  const { id, namespace, trigger, timeZone, handler, definitionHash: hash } = change.job;
  return {
    uid: `uid-${id}`,
    app: 'shop',
    id,
    namespace,
    trigger,
    timeZone,
    handler,
    changed: null,
    definitionHash: hash,
    previousIds: [],
    paused: false,
    orphanedAt: null,
    orphanedReason: null,
    firedUntil: null,
    ...given,
  };
}

/** Of a process that declares these jobs, beside others. */
function plan(
  jobs: readonly DeclaredJob[],
  found: readonly StoredDefinition[],
  given: Partial<SyncRules> = {},
  ...others: CarriedSet[]
): DefinitionChange[] {
  const sets = [carried(100, ...jobs), ...others];
  return [...planSync(jobs, found, sets, now, { ...rules, ...given }).changes];
}

describe('the plan of a sync for a job that is changed at run time', () => {
  const by = { at: created, by: 'ada' };

  test('stores what the code says now below what was changed', () => {
    const before = declared('a');
    const found = stored(before);
    const definition = { ...before.definition, trigger: found.trigger, payload: 'changed' };
    const changes = { payload: { declared: null, ...by } };
    const next = declared('a', { options: { payload: 'next', priority: 1 } });
    const [change] = plan([next], [{ ...found, changed: { definition, changes } }]);
    expect(change).toMatchObject({
      kind: 'update',
      job: { payload: 'changed', priority: 1, definitionHash: next.hash },
      moveCursor: false,
      changed: { payload: { declared: 'next', ...by } },
    });
  });

  test('leaves a changed schedule, and its zone, as a whole', () => {
    const before = declared('a');
    const trigger = { type: 'cron', expression: '7 * * * *', timeZone: 'Asia/Seoul' } as const;
    const changes = { trigger: { declared: stored(before).trigger, ...by } };
    const found = stored(before, { trigger, timeZone: 'Asia/Seoul' });
    const definition = { ...before.definition, trigger, timeZone: 'Asia/Seoul' };
    const next = declared('a', { trigger: { type: 'cron', expression: '8 * * * *' } as never });
    const [change] = plan([next], [{ ...found, changed: { definition, changes } }]);
    expect(change).toMatchObject({
      kind: 'update',
      job: { trigger, timeZone: 'Asia/Seoul' },
      moveCursor: false,
      changed: { trigger: by, timeZone: { declared: 'UTC', ...by } },
    });
  });
});

describe('the plan of a sync', () => {
  test('stores a new job with its first time from now', () => {
    expect(plan([declared('a')], [])).toMatchObject([
      { kind: 'insert', job: { id: 'a', source: 'code', app: 'shop', nextAt: now + 3_600_000 } },
    ]);
  });

  test('gives a new interval the time of its creation as the anchor', () => {
    const [change] = plan([declared('a', { trigger: { type: 'interval', every: '7m' } })], []);
    expect(change).toMatchObject({
      job: { trigger: { every: 420_000, anchor: '2026-01-01T12:00:00.000Z' }, nextAt: now + 420_000 },
    });
  });

  test('stores a new one-off with its time, also when that is past', () => {
    const [change] = plan([declared('a', { trigger: { type: 'at', at: '2025-12-31 00:00:00' } })], []);
    expect(change).toMatchObject({ job: { nextAt: Date.parse('2025-12-31T00:00:00Z') } });
  });

  test('leaves alone what has not changed', () => {
    const jobs = [declared('a'), declared('b', { trigger: { type: 'interval', every: '5m' } })];
    expect(
      plan(
        jobs,
        jobs.map((job) => stored(job)),
      ),
    ).toEqual([]);
  });

  test('moves the cursor of a changed schedule to the next time from now', () => {
    const changed = declared('a', { trigger: { type: 'cron', expression: '30 * * * *' } });
    expect(plan([changed], [stored(declared('a'))])).toMatchObject([
      { kind: 'update', uid: 'uid-a', moveCursor: true, job: { nextAt: now + 1_800_000 } },
    ]);
  });

  test('moves the cursor when only the zone has changed', () => {
    const changed = declared('a', { trigger: { ...hourly, timeZone: 'Asia/Kolkata' } });
    expect(plan([changed], [stored(declared('a'))])).toMatchObject([
      { kind: 'update', moveCursor: true, job: { nextAt: now + 1_800_000 } },
    ]);
  });

  test('keeps the cursor when something else has changed', () => {
    const changed = declared('a', { options: { payload: { to: 'all' } } });
    expect(plan([changed], [stored(declared('a'))])).toMatchObject([
      { kind: 'update', moveCursor: false, job: { payload: { to: 'all' } } },
    ]);
  });

  test('keeps the anchor of a changed interval, and its cursor when the interval is the same', () => {
    const interval = (every: string, options = {}): DeclaredJob =>
      declared('a', { trigger: { type: 'interval', every }, options });
    const anchor = new Date(created).toISOString();
    expect(plan([interval('25m')], [stored(interval('7m'))])).toMatchObject([
      { moveCursor: true, job: { trigger: { every: 1_500_000, anchor }, nextAt: created + 75 * 60_000 } },
    ]);
    expect(plan([interval('7m', { queue: 'slow' })], [stored(interval('7m'))])).toMatchObject([
      { moveCursor: false, job: { trigger: { anchor } } },
    ]);
  });

  test('renames by previousIds, which keeps history and cursor', () => {
    const renamed = declared('new', {}, ['older', 'old']);
    expect(plan([renamed], [stored(declared('old'))])).toMatchObject([
      { kind: 'update', uid: 'uid-old', moveCursor: false, job: { id: 'new' } },
    ]);
  });

  test('does not rename what is declared under its old id again, nor one job twice', () => {
    const old = stored(declared('old'));
    expect(plan([declared('new', {}, ['old']), declared('old')], [old]).map(({ kind }) => kind)).toEqual([
      'insert',
    ]);
    const heirs = [declared('first', {}, ['old']), declared('second', {}, ['old'])];
    expect(plan(heirs, [old]).map(({ kind }) => kind)).toEqual(['update', 'insert']);
  });

  test('holds what a renamed job has replaced', () => {
    const renamed = declared('new', {}, ['old']);
    const found = [stored(renamed), stored(declared('old'))];
    expect(plan([renamed], found)).toEqual([{ kind: 'orphan', uid: 'uid-old', reason: 'superseded' }]);
  });

  test('leaves what is gone to the releases that still declare it, and what nobody declares to the janitor', () => {
    expect(plan([declared('a')], [stored(declared('a')), stored(declared('gone'))])).toEqual([]);
  });

  test('holds an id at once whose method runs under another one, and goes on after what that has fired', () => {
    const moved = declared('b', { handler: 'a.run' });
    const at = now + 3_600_000;
    const changes = plan([moved], [stored(declared('a'), { firedUntil: at })]);
    expect(changes).toMatchObject([
      { kind: 'insert', job: { nextAt: at + 3_600_000 } },
      { kind: 'orphan', uid: 'uid-a', reason: 'superseded' },
    ]);
    const found = stored(declared('a'), { orphanedAt: now - 1, orphanedReason: 'superseded' });
    expect(plan([moved], [found]).map(({ kind }) => kind)).toEqual(['insert']);
  });

  test('holds an id at once whose stored method runs under another one, though others are to give it another method', () => {
    const before = declared('a');
    const theirs = declared('a', { handler: 'a.renamed' });
    const mine = declared('b', { handler: 'a.run' });
    const changes = plan([mine], [stored(before)], {}, carried(1, theirs));
    expect(changes).toMatchObject([
      { kind: 'insert', job: { id: 'b' } },
      { kind: 'orphan', uid: 'uid-a', reason: 'superseded' },
    ]);
    const held = stored(before, { orphanedAt: now, orphanedReason: 'superseded' });
    expect(plan([theirs], [held, stored(mine)], {}, carried(200, mine))).toMatchObject([
      { kind: 'update', uid: 'uid-a', moveCursor: true, job: { handler: 'a.renamed' } },
    ]);
    // Nobody else has its method, so it goes on until they do.
    expect(plan([declared('b')], [stored(before)], {}, carried(1, theirs)).map(({ kind }) => kind)).toEqual([
      'insert',
    ]);
  });

  test('has a job that gets the method of another one go on after what that has fired', () => {
    const at = now + 3_600_000;
    const mine = declared('a', { handler: 'b.run' });
    const found = [stored(declared('a')), stored(declared('b'), { firedUntil: at })];
    expect(plan([mine], found)).toMatchObject([
      { kind: 'update', uid: 'uid-a', moveCursor: true, job: { nextAt: at + 3_600_000 } },
      { kind: 'orphan', uid: 'uid-b', reason: 'superseded' },
    ]);
    // Nobody has run it.
    expect(plan([mine], [stored(declared('a'))])).toMatchObject([{ kind: 'update', moveCursor: false }]);
  });

  test('notes of an orphan that its method runs under another id', () => {
    const moved = declared('b', { handler: 'a.run' });
    const found = stored(declared('a'), { orphanedAt: now - 1, orphanedReason: 'undeclared' });
    expect(plan([moved], [stored(moved), found])).toEqual([
      { kind: 'orphan', uid: 'uid-a', reason: 'superseded' },
    ]);
  });

  test('adopts an orphan that is declared again, and updates it if it has changed', () => {
    const orphan = stored(declared('a'), { orphanedAt: now - 1, orphanedReason: 'undeclared' });
    expect(plan([declared('a')], [orphan])).toEqual([{ kind: 'adopt', uid: 'uid-a' }]);
    const changed = declared('a', { options: { priority: 1 } });
    expect(plan([changed], [orphan])).toMatchObject([{ kind: 'update', moveCursor: false }]);
  });

  test('has an id that comes back go on strictly from now, as its method ran under another one', () => {
    const held = stored(declared('a'), { orphanedAt: now - 1, orphanedReason: 'superseded' });
    const next = now + 3_600_000;
    expect(plan([declared('a')], [held])).toEqual([{ kind: 'adopt', uid: 'uid-a', nextAt: next }]);
    const changed = declared('a', { options: { priority: 1 } });
    expect(plan([changed], [held])).toMatchObject([
      { kind: 'update', moveCursor: true, job: { nextAt: next } },
    ]);
    const other = stored(declared('b', { handler: 'a.run' }), { firedUntil: next });
    expect(plan([declared('a')], [held, other])).toMatchObject([
      { kind: 'adopt', nextAt: next + 3_600_000 },
      { kind: 'orphan', uid: 'uid-b' },
    ]);
    const once = declared('a', { trigger: { type: 'at', at: '2026-01-01 11:30:00' } });
    const heldOnce = stored(once, { orphanedAt: now - 1, orphanedReason: 'superseded' });
    expect(plan([once], [heldOnce])).toEqual([{ kind: 'adopt', uid: 'uid-a', nextAt: null }]);
  });

  test('has a job that gets another method go on after what that has dealt with under another id', () => {
    const next = now + 3_600_000;
    const [x, y] = [declared('x', { handler: 'a.run' }), declared('y', { handler: 'b.run' })];
    const found = [stored(x, { firedUntil: next }), stored(y)];
    const swapped = (trigger: TriggerInput): DeclaredJob[] => [
      declared('x', { handler: 'b.run', trigger }),
      declared('y', { handler: 'a.run', trigger }),
    ];
    // The method of "x" has been fired ahead for the next hour, and is that of "y" now.
    expect(plan(swapped(hourly), found)).toMatchObject([
      { uid: 'uid-x', moveCursor: false },
      { uid: 'uid-y', moveCursor: true, job: { nextAt: next + 3_600_000 } },
    ]);
    const halfHourly: TriggerInput = { type: 'cron', expression: '*/30 * * * *' };
    expect(plan(swapped(halfHourly), found)).toMatchObject([
      { uid: 'uid-x', job: { nextAt: now + 1_800_000 } },
      { uid: 'uid-y', job: { nextAt: next + 1_800_000 } },
    ]);
  });

  test('leaves a job as it is while the word of code holds that appeared later, and says so', () => {
    const [mine, theirs] = [declared('a'), declared('a', { options: { priority: 1 } })];
    const sets = [carried(1, mine), carried(2, theirs)];
    const found = [stored(theirs)];
    expect(planSync([mine], found, sets, now, rules)).toEqual({
      changes: [],
      outranked: [{ namespace: 'default', id: 'a' }],
    });
    const alone = [carried(1, mine), { ...carried(2, theirs), carriedUntil: now - 1 }];
    expect(planSync([mine], found, alone, now, rules)).toMatchObject({
      changes: [{ kind: 'update', uid: 'uid-a' }],
      outranked: [],
    });
  });

  test('renames back when the code that renamed has gone, which keeps history and cursor', () => {
    const renamed = declared('tidy', { handler: 'a.run' }, ['clean-up']);
    const old = declared('clean-up', { handler: 'a.run' });
    const found = stored(renamed, { previousIds: ['clean-up'] });
    expect(plan([old], [found])).toMatchObject([
      { kind: 'update', uid: 'uid-tidy', moveCursor: false, job: { id: 'clean-up' } },
    ]);
    expect(planSync([old], [found], [carried(1, old), carried(2, renamed)], now, rules)).toEqual({
      changes: [],
      outranked: [{ namespace: 'default', id: 'clean-up' }],
    });
  });

  test('does not rename back what another method had long ago', () => {
    const found = stored(declared('b'), { previousIds: ['a'], orphanedAt: 0, orphanedReason: 'undeclared' });
    expect(plan([declared('a')], [found]).map(({ kind }) => kind)).toEqual(['insert']);
    const recent = { ...carried(1, declared('b')), carriedUntil: now - 1 };
    expect(plan([declared('a')], [found], {}, recent).map(({ kind }) => kind)).toEqual(['update']);
  });

  test('takes over the job of another app, and leaves its other jobs alone', () => {
    const theirs = stored(declared('a'), { app: 'before' });
    const old = stored(declared('old'), { app: 'before' });
    expect(plan([declared('a')], [theirs, old])).toMatchObject([
      { kind: 'update', uid: 'uid-a', moveCursor: false, job: { app: 'shop' } },
    ]);
    expect(plan([declared('new', {}, ['old'])], [old])).toMatchObject([
      { kind: 'update', uid: 'uid-old', job: { id: 'new', app: 'shop' } },
    ]);
  });

  test('takes the method of a job from the storage where the release that declares it told no more than the id', () => {
    const unknown: CarriedSet = {
      place: -1,
      carriedUntil: null,
      declarations: [{ namespace: 'default', id: 'a', hash: '', handler: null, previousIds: [], place: -1 }],
    };
    const moved = declared('b', { handler: 'a.run' });
    expect(plan([moved], [stored(moved), stored(declared('a'))], {}, unknown)).toEqual([
      { kind: 'orphan', uid: 'uid-a', reason: 'superseded' },
    ]);
    expect(plan([declared('b')], [stored(declared('b')), stored(declared('a'))], {}, unknown)).toEqual([]);
  });

  test('says one thing of an orphan that is old enough to go, and whose method has another id now', () => {
    const old = { orphanedAt: now - 600_000, orphanedReason: 'undeclared' } as const;
    const moved = declared('b', { handler: 'a.run' });
    const found = [stored(moved), stored(declared('a'), old)];
    expect(plan([moved], found, { orphans: 'delete' })).toEqual([{ kind: 'delete', uid: 'uid-a' }]);
    expect(plan([moved], found)).toEqual([{ kind: 'orphan', uid: 'uid-a', reason: 'superseded' }]);
  });

  test('deletes orphans when told to, and not before a rollback had its chance', () => {
    const fresh = stored(declared('a'), { orphanedAt: now - 599_999 });
    const old = stored(declared('b'), { orphanedAt: now - 600_000 });
    expect(plan([declared('c')], [fresh, old]).map(({ kind }) => kind)).toEqual(['insert']);
    expect(plan([declared('c')], [fresh, old], { orphans: 'delete' })).toMatchObject([
      { kind: 'insert' },
      { kind: 'delete', uid: 'uid-b' },
    ]);
    const still = [carried(1, declared('b')), { ...carried(2, declared('b')), carriedUntil: now - 1 }];
    for (const set of still) {
      const changes = plan([declared('c')], [old], { orphans: 'delete' }, set);
      expect(changes.map(({ kind }) => kind)).toEqual(['insert']);
    }
  });
});
