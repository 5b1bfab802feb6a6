import { MikroORM, type EntityManager } from '@mikro-orm/postgresql';
import { EntitySchema } from '@mikro-orm/core';
import { PrismaPg } from '@prisma/adapter-pg';
import { pgTable, text } from 'drizzle-orm/pg-core';
import { drizzle as drizzleOverPg, type NodePgDatabase } from 'drizzle-orm/node-postgres';
import { drizzle as drizzleOverPostgres, type PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import createKnex, { type Knex } from 'knex';
import { CamelCasePlugin, Kysely, PostgresDialect, type Transaction } from 'kysely';
import pg from 'pg';
import postgres from 'postgres';
import { commitsTogether } from './application.js';
import * as forDrizzle from './drizzle.js';
import { PrismaClient, type Prisma } from './generated/client.js';
import * as forKnex from './knex.js';
import * as forKysely from './kysely.js';
import * as forMikroOrm from './mikro-orm.js';
import * as forPg from './pg.js';
import * as forPostgres from './postgres.js';
import * as forPrisma from './prisma.js';

commitsTogether<Prisma.TransactionClient>('Prisma', async (url) => {
  const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: url }) });
  return {
    transaction: (work) => prisma.$transaction(work),
    executorOf: forPrisma.executorOf,
    begin: forPrisma.inPrisma(prisma),
    insert: (tx, name) => tx.effect.create({ data: { name } }),
    close: () => prisma.$disconnect(),
  };
});

const effect = pgTable('effect', { name: text().primaryKey() });
type DrizzleTx<Db extends { transaction: (...given: any[]) => unknown }> = Parameters<
  Parameters<Db['transaction']>[0]
>[0];

commitsTogether<DrizzleTx<NodePgDatabase>>('Drizzle over pg', async (url) => {
  const pool = new pg.Pool({ connectionString: url });
  const db = drizzleOverPg(pool);
  return {
    transaction: (work) => db.transaction(work),
    executorOf: forDrizzle.executorOf,
    begin: forDrizzle.inDrizzle(db),
    insert: (tx, name) => tx.insert(effect).values({ name }),
    close: () => pool.end(),
  };
});

commitsTogether<DrizzleTx<PostgresJsDatabase>>('Drizzle over postgres', async (url) => {
  const sql = postgres(url, { onnotice: () => undefined });
  const db = drizzleOverPostgres(sql);
  return {
    transaction: (work) => db.transaction(work),
    executorOf: forDrizzle.executorOf,
    begin: forDrizzle.inDrizzle(db),
    insert: (tx, name) => tx.insert(effect).values({ name }),
    close: () => sql.end(),
  };
});

commitsTogether<postgres.TransactionSql>('postgres', async (url) => {
  const sql = postgres(url, { onnotice: () => undefined });
  return {
    transaction: <T>(work: (tx: postgres.TransactionSql) => Promise<T>) => sql.begin(work) as Promise<T>,
    executorOf: forPostgres.executorOf,
    begin: forPostgres.inPostgres(sql),
    insert: (tx, name) => tx`insert into effect values (${name})`,
    close: () => sql.end(),
  };
});

commitsTogether<Knex.Transaction>('Knex', async (url) => {
  const knex = createKnex({ client: 'pg', connection: url });
  return {
    transaction: (work) => knex.transaction(work),
    executorOf: forKnex.executorOf,
    begin: forKnex.inKnex(knex),
    insert: (trx, name) => trx('effect').insert({ name }),
    close: () => knex.destroy(),
  };
});

interface Tables {
  effect: { name: string };
}

commitsTogether<Transaction<Tables>>('Kysely', async (url) => {
  const db = new Kysely<Tables>({
    dialect: new PostgresDialect({ pool: new pg.Pool({ connectionString: url }) }),
    plugins: [new CamelCasePlugin()],
  });
  return {
    transaction: (work) => db.transaction().execute(work),
    executorOf: forKysely.executorOf,
    begin: forKysely.inKysely(db),
    insert: (trx, name) => trx.insertInto('effect').values({ name }).execute(),
    close: () => db.destroy(),
  };
});

const Effect = new EntitySchema<{ name: string }>({
  name: 'Effect',
  tableName: 'effect',
  properties: { name: { type: 'text', primary: true } },
});

commitsTogether<EntityManager>('MikroORM', async (url) => {
  const orm = await MikroORM.init({ clientUrl: url, entities: [Effect] });
  return {
    transaction: (work) => orm.em.fork().transactional(work),
    executorOf: forMikroOrm.executorOf,
    begin: forMikroOrm.inMikroOrm(orm.em),
    insert: async (em, name) => {
      em.create(Effect, { name });
      await em.flush();
    },
    close: () => orm.close(),
  };
});

commitsTogether<pg.PoolClient>('pg', async (url) => {
  const pool = new pg.Pool({ connectionString: url });
  return {
    transaction: (work) => forPg.inTransaction(pool, work),
    executorOf: (client) => client,
    begin: forPg.inPg(pool),
    insert: (client, name) => client.query('insert into effect values ($1)', [name]),
    close: () => pool.end(),
  };
});
