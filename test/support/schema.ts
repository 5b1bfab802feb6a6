import { randomBytes } from 'node:crypto';

/** The PostgreSQL that the test run has started, or was given. */
export function databaseUrl(): string {
  const url = process.env.CHRONIS_TEST_URL;
  if (!url) throw new Error('CHRONIS_TEST_URL is not set: test/support/global.ts sets it.');
  return url;
}

/** A schema name that nobody else uses. */
export function freshSchema(topic = 'test'): string {
  return `${topic}_${randomBytes(5).toString('hex')}`;
}
