import { openBullMq } from '../bullmq.mjs';

const trees = 'its flows are trees, in which a step has one that waits for it';

export const about = {
  name: 'bullmq-postgres',
  package: 'bullmq',
  keeps: 'nothing (removeOnComplete)',
  setting: 'throughput, crons, flow: concurrency 100 · otherwise concurrency 10; pool of 20',
  slow: true,
  cannot: { 'flow fan-out': trees, 'flow layered': trees, 'flow narrow': trees },
};

export async function open(options) {
  const { createPostgresBackend } = await import('bullmq');
  const connection = { connectionString: options.url, max: 20 };
  return openBullMq(
    { ...options, name: 'bench' },
    { connection, backend: createPostgresBackend, migrate: { migrate: true } },
  );
}
