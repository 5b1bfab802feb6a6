import { startPostgres } from './postgres.js';

/**
 * Starts one PostgreSQL for all spec files and names it in CHRONIS_TEST_URL, which forked test processes inherit. A server that
 * CHRONIS_TEST_URL or DATABASE_URL names is used instead.
 */
export async function setup(): Promise<(() => Promise<void>) | undefined> {
  const given = process.env.CHRONIS_TEST_URL || process.env.DATABASE_URL;
  if (given) {
    process.env.CHRONIS_TEST_URL = given;
    return undefined;
  }
  // Tests kill processes, not machines: what the kernel has got is not lost.
  const postgres = await startPostgres({ settings: { fsync: 'off' } });
  process.env.CHRONIS_TEST_URL = postgres.url;
  return async () => {
    delete process.env.CHRONIS_TEST_URL;
    await postgres.stop();
  };
}
