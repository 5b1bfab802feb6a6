// BullMQ on either of its backends.

/** `made`: `{ connection, backend }`, backend undefined for Redis. */
export async function openBullMq({ mode, name }, { connection, backend, migrate }) {
  const { FlowProducer, Queue, Worker } = await import('bullmq');
  const factory = backend === undefined ? [] : [backend];
  const queue = new Queue(name, { connection: { ...connection, ...migrate } }, ...factory);
  queue.on('error', (error) => console.error(error));
  await queue.waitUntilReady();
  const idle = new Queue(`${name}-others`, { connection }, ...factory);
  idle.on('error', (error) => console.error(error));
  let worker = null;

  const rules = { removeOnComplete: true, removeOnFail: true };
  const spec = ({ at, data = {} }) => ({
    name: 'noop',
    data,
    opts: at === undefined ? rules : { ...rules, delay: Math.max(at - Date.now(), 0) },
  });
  return {
    create: async (jobs) => {
      const target = (jobs[0]?.name ?? 'noop') === 'noop' ? queue : idle;
      for (let start = 0; start < jobs.length; start += 1_000) {
        await target.addBulk(jobs.slice(start, start + 1_000).map(spec));
      }
    },
    createOne: (job) => {
      const { name: kind, data, opts } = spec(job);
      return queue.add(kind, data, opts).then(() => undefined);
    },
    async crons(count, pace) {
      const timing = {
        second: { every: 1_000 },
        minute: { pattern: '* * * * *' },
        year: { pattern: '0 0 1 1 *' },
      }[pace];
      const target = pace === 'year' ? idle : queue;
      const one = (key) =>
        target.upsertJobScheduler(`${pace}-${key}`, timing, {
          name: 'recurring',
          data: { key },
          opts: rules,
        });
      for (let start = 0; start < count; start += 50) {
        await Promise.all(
          Array.from({ length: Math.min(50, count - start) }, (_, offset) => one(start + offset)),
        );
      }
    },
    /** A tree: the last step is its root, which waits for the others. */
    async flow(parents) {
      const flows = new FlowProducer({ connection }, ...factory);
      const node = (step) => ({ name: 'noop', queueName: name, data: { key: step }, opts: rules });
      let tree = node(parents.length - 1);
      if (parents.at(-1).length > 1) tree.children = parents.at(-1).map(node);
      else {
        tree = node(0);
        for (let step = 1; step < parents.length; step++) tree = { ...node(step), children: [tree] };
      }
      await flows.add(tree);
      await flows.close();
    },
    async work(note) {
      const process = async (job) => {
        if (job.name === 'noop') note(job.data);
        // The id of such a job ends with its nominal time.
        else note({ key: job.data.key, since: Number(job.id.split(':').at(-1)) });
      };
      const options = { connection, concurrency: mode === 'latency' ? 10 : 100 };
      worker = new Worker(name, process, options, ...factory);
      worker.on('error', (error) => console.error(error));
      await worker.waitUntilReady();
    },
    remaining: () => queue.getJobCountByTypes('waiting', 'active', 'prioritized'),
    async obliterate() {
      await queue.obliterate({ force: true });
      await idle.obliterate({ force: true });
    },
    async close() {
      await worker?.close();
      await queue.close();
      await idle.close();
    },
  };
}
