import { describe, expect, test } from 'vitest';
import type { DeclaredJob } from '../../lib/discovery/declared.job.js';
import { planSync, type SyncRules } from '../../lib/discovery/sync.plan.js';
import type { TriggerInput } from '../../lib/model/trigger.js';
import type { DefinitionChange, StoredDefinition } from '../../lib/ports/storage.adapter.js';
import { definitionHash } from '../../lib/scheduler/definition.hash.js';
import { defineJob, type JobInput } from '../../lib/scheduler/job.definition.js';

const now = Date.parse('2026-01-01T12:00:00Z');
const created = now - 3_600_000;
const rules: SyncRules = { app: 'shop', orphans: 'keep', orphanGraceMs: 600_000, calendars: {} };
const hourly: TriggerInput = { type: 'cron', expression: '0 * * * *' };

function declared(id: string, given: Partial<JobInput> = {}, previousIds: string[] = []): DeclaredJob {
  const input = { id, handler: `${id}.run`, trigger: hourly, options: {}, ...given };
  const definition = defineJob(
    input,
    { timeZone: 'UTC', payloadLimit: 1_000, calendars: {}, stored: true },
    now,
  );
  return { definition, hash: definitionHash(definition), previousIds, place: `${id}.run` };
}

/** As the sync stored it an hour ago. */
function stored(job: DeclaredJob, given: Partial<StoredDefinition> = {}): StoredDefinition {
  const [change] = planSync([job], new Set(), [], created, rules);
  if (change?.kind !== 'insert') throw new Error('What is new is inserted.');
  const { id, namespace, trigger, timeZone, handler, definitionHash: hash } = change.job;
  return {
    uid: `uid-${id}`,
    id,
    namespace,
    trigger,
    timeZone,
    handler,
    definitionHash: hash,
    paused: false,
    orphanedAt: null,
    generation: 1,
    ...given,
  };
}

function plan(
  jobs: readonly DeclaredJob[],
  found: readonly StoredDefinition[],
  given: Partial<SyncRules> = {},
): DefinitionChange[] {
  const handlers = new Set(jobs.map(({ definition }) => definition.handler));
  return planSync(jobs, handlers, found, now, { ...rules, ...given });
}

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

  test('orphans at once what a renamed job has replaced', () => {
    const renamed = declared('new', {}, ['old']);
    const found = [stored(renamed), stored(declared('old'))];
    expect(plan([renamed], found)).toEqual([{ kind: 'orphan', uid: 'uid-old' }]);
  });

  test('leaves what is gone to the releases that still declare it', () => {
    expect(plan([declared('a')], [stored(declared('a')), stored(declared('gone'))])).toEqual([]);
  });

  test('orphans at once what is gone while its method is still here, as it would run on', () => {
    const moved = declared('b', { handler: 'a.run' });
    const changes = plan([moved], [stored(declared('a'))]);
    expect(changes.map(({ kind }) => kind)).toEqual(['insert', 'orphan']);
    const found = stored(declared('a'), { orphanedAt: now - 1 });
    expect(plan([moved], [found]).map(({ kind }) => kind)).toEqual(['insert']);
  });

  test('adopts an orphan that is declared again, and updates it if it has changed', () => {
    const orphan = stored(declared('a'), { orphanedAt: now - 1 });
    expect(plan([declared('a')], [orphan])).toEqual([{ kind: 'adopt', uid: 'uid-a' }]);
    const changed = declared('a', { options: { priority: 1 } });
    expect(plan([changed], [orphan])).toMatchObject([{ kind: 'update', moveCursor: false }]);
  });

  test('deletes orphans when told to, and not before a rollback had its chance', () => {
    const fresh = stored(declared('a'), { orphanedAt: now - 599_999 });
    const old = stored(declared('b'), { orphanedAt: now - 600_000 });
    expect(plan([declared('c')], [fresh, old]).map(({ kind }) => kind)).toEqual(['insert']);
    expect(plan([declared('c')], [fresh, old], { orphans: 'delete' })).toMatchObject([
      { kind: 'insert' },
      { kind: 'delete', uid: 'uid-b' },
    ]);
  });
});
