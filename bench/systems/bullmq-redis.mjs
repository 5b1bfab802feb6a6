import { openBullMq } from '../bullmq.mjs';

const trees = 'its flows are trees, in which a step has one that waits for it';

export const about = {
  name: 'bullmq-redis',
  package: 'bullmq',
  keeps: 'nothing (removeOnComplete)',
  setting: 'throughput, crons, flow: concurrency 100 · otherwise concurrency 10; Redis as it is configured',
  needsRedis: true,
  cannot: { 'flow fan-out': trees, 'flow layered': trees, 'flow narrow': trees },
};

/** The queues of a run bear the name of its database, and are removed by the process that created jobs. */
export async function open(options) {
  const { hostname: host, port, password } = new URL(options.redisUrl);
  const connection = {
    host,
    port: Number(port || 6379),
    ...(password ? { password } : {}),
    maxRetriesPerRequest: null,
  };
  const instance = await openBullMq(
    { ...options, name: new URL(options.url).pathname.slice(1) },
    { connection },
  );
  return {
    ...instance,
    async close() {
      if (options.role === 'client') await instance.obliterate();
      await instance.close();
    },
  };
}
