import { describe, expect, test } from 'vitest';
import type { Settlement, StorageAdapter } from '../../lib/index.js';
import { settlementOf } from '../../lib/testing/laws/fixture.js';
import { claimSteps, flowOf, openFlow, statesOf, step } from '../../lib/testing/laws/flow.fixture.js';
import { connect } from '../../lib/typeorm/connect.js';
import { settleWithin } from '../../lib/typeorm/settling.transaction.js';
import type { Run } from '../../lib/typeorm/statement.runner.js';
import { prepareStatements } from '../../lib/typeorm/statements.js';
import { adapterSettings } from '../../lib/typeorm/typeorm.options.js';
import { newStorage } from '../support/postgres.subject.js';
import { databaseUrl } from '../support/schema.js';
import { storageForEachTest } from '../support/storage.for.each.test.js';

let schema: string;
let storage: StorageAdapter;
const statementTimeoutMs = 4_000;
/** How often two parents end at once: `CHRONIS_ROUNDS=10000` is the long form, of some minutes. */
const rounds = Number(process.env['CHRONIS_ROUNDS'] ?? 40);
const other = storageForEachTest('flows', (fresh) => ({ schema, storage } = fresh), { statementTimeoutMs });

/** Settles on a connection that the server ends before this statement of the settlement, counted from 1. True: it has fewer. */
async function settleUntil(nth: number, given: Settlement): Promise<boolean> {
  const url = databaseUrl();
  const settings = adapterSettings({ url, schema, statementTimeoutMs }, false);
  const database = await connect({ type: 'postgres', url }, settings);
  const texts = prepareStatements(settings.tables);
  let asked = 0;
  const settled = database.transaction(async (transaction) => {
    const dying: Run = async (statement, ...values) => {
      if (++asked === nth) {
        const [{ pid }] = await transaction.run<{ pid: number }>(
          'select pg_backend_pid() as pid, $1::float8',
        );
        await other.query('select pg_terminate_backend($1, 5000)', [pid]);
      }
      return transaction.run(texts[statement], values);
    };
    return settleWithin(dying, [given], 'settle');
  });
  const isDone = await settled.then(
    () => true,
    () => false,
  );
  await database.close();
  return isDone;
}

describe('a flow', () => {
  test(
    'whose last two parents are settled by two servers at once releases what waits for them once',
    async () => {
      const second = newStorage({ schema });
      await second.init();
      for (let round = 0; round < rounds; round++) {
        const steps = [step('a'), step('b'), step('c', ['a', 'b'])];
        const { runId, worker } = await openFlow(storage, steps, { job: { id: `flow-${round}` } });
        const { a, b } = await claimSteps(storage, worker);
        const [one, two] = await Promise.all([settlementOf(storage, a!), settlementOf(storage, b!)]);
        const ends = await Promise.all([storage.settle([one]), second.settle([two])]);
        expect(ends.flatMap(({ accepted }) => accepted)).toEqual([a!.id, b!.id]);
        const born = await claimSteps(storage, worker);
        expect(Object.keys(born)).toEqual(['c']);
        await storage.settle([await settlementOf(storage, born.c!)]);
        expect((await flowOf(storage, runId)).verdict).toBe('succeeded');
      }
      const { rows } = await other.query(
        `select count(*)::int from "${schema}".attempt where final and job_id like '%/c'`,
      );
      expect(rows).toEqual([{ count: rounds }]);
      await second.close();
    },
    rounds * 1_500,
  ); // Only what hangs gets there.

  test('is as it was when the connection is lost before any statement of a settlement that moves it on', async () => {
    for (let statement = 1; ; statement++) {
      const steps = [step('a'), step('b', ['a']), step('m', ['a'], { map: true })];
      const { runId, worker } = await openFlow(storage, steps, { job: { id: `flow-${statement}` } });
      const { a } = await claimSteps(storage, worker);
      const end = { result: [1, 2], flowStep: { added: [step('c', ['a'])] } };
      const settlement = await settlementOf(storage, a!, end);
      if (await settleUntil(statement, settlement)) {
        expect(statement).toBeGreaterThan(6);
        break;
      }
      expect(await statesOf(storage, runId)).toEqual({ a: 'released', b: 'waiting', m: 'waiting' });
      expect((await storage.settle([settlement])).accepted).toEqual([a!.id]);
      const after = { b: 'released', m: 'released', 'm.0': 'released', 'm.1': 'released', c: 'released' };
      expect(await statesOf(storage, runId)).toEqual({ a: 'succeeded', ...after });
      await storage.cancelRun(runId);
    }
  });
});
