import { startPostgres } from './postgres.js';

/** The server that DATABASE_URL names, or an embedded PostgreSQL of our own; DATABASE_URL is set in both cases. */
export async function provideDatabase(): Promise<{ url: string; stop(): Promise<void> }> {
  const given = process.env.DATABASE_URL;
  if (given) return { url: given, stop: async () => undefined };
  console.log('Starting an embedded PostgreSQL …');
  const postgres = await startPostgres();
  process.env.DATABASE_URL = postgres.url;
  return { url: postgres.url, stop: () => postgres.stop() };
}
