import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RollupMaker } from '../../lib/engine/rollup.maker.js';
import type { StorageAdapter } from '../../lib/index.js';
import type { Retention } from '../../lib/model/retention.js';
import { floorTo, statisticsUnits, unitMs, type RollupMark } from '../../lib/model/rollup.js';
import { compiledTests } from '../support/compiled.js';
import { differingRollups, writeAttempts } from '../support/counted.ledger.js';
import { newStorage } from '../support/postgres.subject.js';
import { databaseUrl, freshSchema } from '../support/schema.js';
import { strikePlaces, type StrikePlace } from '../support/struck.statements.js';
import { TellingProcess } from '../support/telling.process.js';
import type { RollupKillOrder } from './rollup.kills.worker.js';

const schema = freshSchema('rollup_kills');
const url = databaseUrl();
const client = new pg.Client(url);
const retention: Retention = { defaultMs: 30 * unitMs.day, byVerdict: {} };
const sql = async (text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> =>
  (await client.query<Record<string, unknown>>(text.replaceAll('$.', `"${schema}".`), values)).rows;
let storage: StorageAdapter;
let mark: RollupMark;

/** What a round finds: two hours to count, and six to look at once more, of which the ledger says other than it did of the first. */
beforeAll(async () => {
  compiledTests();
  await client.connect();
  storage = newStorage({ schema });
  await storage.init();
  // Makes the days of the ledger.
  await storage.prune(retention);
  await writeAttempts(client, schema, 4_000, `now() - interval '40 hours'`, 'now()');
  await round(retention);
  const found = (await storage.rollups!.rollupState()).mark!;
  const until = found.until - 2 * unitMs.hour;
  await rebuild({ ...found, until });
  const over = floorTo(Date.now() - 15 * unitMs.minute, 'day');
  const checkedUntil = over - 6 * unitMs.hour;
  const late = `to_timestamp(${checkedUntil / 1_000})`;
  await writeAttempts(client, schema, 100, late, `${late} + interval '1 hour'`);
  mark = { ...found, until, checkedUntil };
  for (const unit of statisticsUnits)
    await sql(`create table $.first_${unit} as select * from $.stat_${unit}`);
}, 180_000);

afterAll(async () => {
  await storage.close();
  await client.query(`drop schema "${schema}" cascade`);
  await client.end();
});

const round = (kept: Retention): Promise<void> => new RollupMaker(storage.rollups!, kept).round(() => false);

/** Counts all of it anew, and nothing else. */
async function rebuild({ from: first, until: last }: RollupMark): Promise<void> {
  await sql(statisticsUnits.map((unit) => `truncate $.stat_${unit}`).join(';'));
  for (let from = first; from < last;) {
    const until = Math.min(floorTo(from, 'hour') + unitMs.hour, last);
    await storage.rollups!.makeRollups({ from, until, kind: 'rebuild', wholeMs: retention.defaultMs });
    from = until;
  }
}

async function asBefore(): Promise<void> {
  for (const unit of statisticsUnits)
    await sql(`truncate $.stat_${unit}; insert into $.stat_${unit} select * from $.first_${unit}`);
  await sql(`update $.meta set value = $1 where key = 'statistics'`, [JSON.stringify(mark)]);
}

/** Another process makes a round; null: it was killed. */
async function made(kept: Retention, place: StrikePlace | null): Promise<string[] | null> {
  const order: RollupKillOrder = { url, schema, retention: kept, place };
  const maker = new TellingProcess<RollupKillOrder, string[]>('cluster/rollup.kills.worker', order);
  const statements = await maker.said(() => true);
  await maker.end();
  expect(maker.signal === 'SIGKILL' || statements !== null, 'it ended by itself').toBe(true);
  return statements;
}

const counted = async (): Promise<unknown> =>
  Promise.all(statisticsUnits.map((unit) => sql(`select * from $.stat_${unit} order by 1, 2, 3, 4, 5`)));

describe('statistics', { timeout: 300_000 }, () => {
  test('are what the ledger has, in whichever of its statements their maker is killed', async () => {
    await asBefore();
    const statements = (await made(retention, null))!;
    expect(await Promise.all(statisticsUnits.map((unit) => differing(unit)))).toEqual([[], [], []]);
    const places = strikePlaces(statements);
    const said: string[] = [];
    for (const place of places) {
      await asBefore();
      expect(await made(retention, place), `it was to be killed at ${JSON.stringify(place)}`).toBeNull();
      await round(retention);
      for (const unit of statisticsUnits) {
        const found = await differing(unit);
        if (found.length > 0)
          said.push(`${place.when} ${statements[place.nth]}: ${JSON.stringify(found[0])}`);
      }
    }
    expect(said).toEqual([]);
    const struck = places.map(({ nth }) => statements[nth]);
    expect(struck).toEqual(
      expect.arrayContaining([
        ...['readRollups', 'lockRollups', 'rollUpMinutes', 'rollUpHours', 'rollUpDays'],
        ...['markRollups', 'commit', 'compareRollups', 'forgetRollups'],
      ]),
    );
    // Also those of an hour that was compared and says other than the ledger.
    expect(struck.filter((name) => name === 'rollUpMinutes')).toHaveLength(2);

    const before = await counted();
    await rebuild((await storage.rollups!.rollupState()).mark!);
    expect(await counted()).toEqual(before);
  });

  test('keep what the ledger has forgotten, in whichever of its statements their maker is killed', async () => {
    const short: Retention = { defaultMs: 8 * unitMs.hour, byVerdict: {} };
    await sql(`delete from $.attempt where finished_at < now() - interval '8 hours'`);
    await asBefore();
    const statements = (await made(short, null))!;
    const said: string[] = [];
    // Of what is counted: nothing that is forgotten is compared any more.
    const last = statements.indexOf('commit');
    for (const place of strikePlaces(statements.slice(0, last + 1))) {
      await asBefore();
      expect(await made(short, place), `it was to be killed at ${JSON.stringify(place)}`).toBeNull();
      await round(short);
      const since = Math.ceil((Date.now() - 7 * unitMs.hour) / unitMs.hour) * unitMs.hour;
      for (const [what, found] of [
        ['of the ledger', await differing('minute', since)],
        ['of the ledger', await differing('hour', since)],
        ['of before', await sql(lost, [since])],
        ['of the days', await sql(daysThatAreNotTheirHours)],
      ] as const)
        if (found.length > 0)
          said.push(`${place.when} ${statements[place.nth]}, ${what}: ${JSON.stringify(found[0])}`);
    }
    expect(said).toEqual([]);
  });
});

/** Since then, where that is said. */
async function differing(unit: 'minute' | 'hour' | 'day', since = 0): Promise<unknown[]> {
  const found = (await differingRollups(client, schema, unit)) as { start_at: Date }[];
  return found.filter(({ start_at: start }) => start.getTime() >= since);
}

const lost = `select * from $.first_minute where start_at < to_timestamp($1::float8 / 1000) - interval '2 hours' except select * from $.stat_minute`;

const daysThatAreNotTheirHours = `
  with counted as (
    select date_trunc('day', start_at, 'UTC') as start_at, namespace, queue, handler, verdict, sum(runs)::bigint as runs, sum(attempts)::bigint as attempts, max(longest_ms) as longest_ms
    from $.stat_hour group by 1, 2, 3, 4, 5
  ), stored as (select start_at, namespace, queue, handler, verdict, runs::bigint, attempts::bigint, longest_ms from $.stat_day)
  (table counted except table stored) union all (table stored except table counted)`;
