// One process of one system: opens it, and then does what the parent calls for, one message at a time.
import { Starts, wallNow } from './starts.mjs';

const { system, options } = JSON.parse(process.argv[2]);
const { open } = await import(`./systems/${system}.mjs`);
/** Several applications in one process where more workers are wanted than the machine has memory for. */
const instances = await Promise.all(Array.from({ length: options.copies ?? 1 }, () => open(options)));
const [instance] = instances;
const starts = new Starts();

const calls = {
  create: (jobs) => instance.create(jobs),
  work: () => Promise.all(instances.map((each) => each.work((data) => starts.note(data)))).then(() => undefined),
  crons: (count, pace) => instance.crons(count, pace, (data) => starts.note(data)),
  remaining: () => instance.remaining(),
  summary: () => starts.summary,
  take: () => starts.take(),
  usage: () => ({ cpu: process.cpuUsage(), rss: process.memoryUsage.rss(), at: performance.now() }),
  close: () => Promise.all(instances.map((each) => each.close())).then(() => undefined),

  /** Many ready jobs of one kind, made here so that they need not travel. */
  async fill(count, job = {}) {
    const size = 10_000;
    for (let done = 0; done < count; done += size) {
      await instance.create(Array.from({ length: Math.min(size, count - done) }, () => job));
    }
  },

  /** Seconds that so many callers take for so many jobs, one call each. */
  async createSingly(count, callers) {
    let left = count;
    const begun = performance.now();
    await Promise.all(
      Array.from({ length: callers }, async () => {
        while (left-- > 0) await instance.createOne({});
      }),
    );
    return (performance.now() - begun) / 1_000;
  },

  async createBulk(count) {
    const jobs = Array.from({ length: count }, () => ({}));
    const begun = performance.now();
    await instance.create(jobs);
    return (performance.now() - begun) / 1_000;
  },

  /** Due at once; the lag counts from before the call that creates it. */
  createNow: (job = {}) => instance.createOne({ ...job, data: { since: wallNow() } }),
  daily: (count, timing) => instance.daily(count, timing),
  /** A graph of steps: the parents of each, by number. Made here, so that it need not travel. */
  flow: async (shape, count) => instance.flow((await import('./shapes.mjs')).shapes[shape](count)),
};

process.on('message', ({ id, name, args }) => {
  Promise.resolve()
    .then(() => calls[name](...args))
    .then(
      (value) => process.send({ id, value }),
      (error) => process.send({ id, error: String(error?.stack ?? error) }),
    );
});
process.on('disconnect', () => process.exit());
process.send({ ready: true });
