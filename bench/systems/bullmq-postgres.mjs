import { openBullMq } from '../bullmq.mjs';

export const about = {
  name: 'bullmq-postgres',
  package: 'bullmq',
  keeps: 'nothing (removeOnComplete)',
  setting: 'throughput, crons: concurrency 100 · otherwise concurrency 10; pool of 20',
  slow: true,
};

export async function open(options) {
  const { createPostgresBackend } = await import('bullmq');
  const connection = { connectionString: options.url, max: 20 };
  return openBullMq(
    { ...options, name: 'bench' },
    { connection, backend: createPostgresBackend, migrate: { migrate: true } },
  );
}
