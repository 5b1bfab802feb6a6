import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connect } from '../../lib/typeorm/connect.js';
import type { Database } from '../../lib/typeorm/database.js';
import { adapterSettings } from '../../lib/typeorm/typeorm.options.js';
import { databaseUrl } from '../support/schema.js';

interface Plans {
  custom_plans: number;
  generic_plans: number;
}

describe('plans of statements', () => {
  let database: Database;

  beforeEach(async () => {
    const url = databaseUrl();
    database = await connect({ type: 'postgres', url }, adapterSettings({ url, poolSize: 2 }, false));
  });
  afterEach(() => database.close());

  const plansAfter = async (options?: { keepsPlans: boolean }): Promise<Plans> => {
    for (let time = 0; time < 3; time++) {
      await database.transaction(
        (transaction) => transaction.run('select $1::text as time, $2::int as two', [2], { name: 'two' }),
        options,
      );
    }
    const [plans] = await database.plain<{ custom: string; generic: string }>(
      `select custom_plans::text as custom, generic_plans::text as generic from pg_prepared_statements where name like 'chronis_two_%'`,
    );
    return { custom_plans: Number(plans!.custom), generic_plans: Number(plans!.generic) };
  };

  test('are made for the values, the first times', async () => {
    expect(await plansAfter()).toEqual({ custom_plans: 3, generic_plans: 0 });
  });

  test('are kept from the first time on by a transaction that says so, and by none after it', async () => {
    expect(await plansAfter({ keepsPlans: true })).toEqual({ custom_plans: 0, generic_plans: 3 });
    expect(await plansAfter()).toMatchObject({ generic_plans: 3 });
  });
});
