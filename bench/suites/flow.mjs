import { quantilesOf, until } from '../measures.mjs';
import { shapes } from '../shapes.mjs';

/** How many steps of a chain one takes that looks for ready steps from time to time only. */
const slowChain = 20;

export const suite = {
  about:
    'One graph of steps that do nothing, started by another process while one worker is idle: steps per second from the first start to the last, and how long after its last parent each step has begun (those with parents). BullMQ has trees, whose parents wait for their children: of these shapes a fan-in and a chain. No warm-up.',
  mode: 'flow',
  rounds: 3,
  quickRounds: 1,
  settings: ({ quick }) =>
    Object.keys(shapes).map((shape) => ({
      name: `${shape}, ${quick ? 1_000 : 10_000} steps`,
      shape,
      steps: quick ? 1_000 : 10_000,
      skips: [`flow ${shape}`],
    })),

  async run(run, { shape, steps }) {
    const count = shape === 'chain' && run.about.resolvesFlows ? slowChain : steps;
    const parents = shapes[shape](count);
    await run.tidy();
    const worker = await run.start('worker');
    await worker.call('work');
    await worker.call('take');
    await run.client.call('flow', shape, count);
    await until(`The ${shape}`, async () => (await worker.call('summary')).count >= count, { everyMs: 50, withinMs: 600_000 });
    const { noted } = await worker.call('take');
    const began = new Map(noted.map(({ key, at }) => [key, at]));
    if (noted.length !== count || began.size !== count) throw new Error(`${noted.length} starts of ${began.size} steps, not of ${count}.`);
    const delays = parents.flatMap((above, step) =>
      above.length === 0 ? [] : [began.get(step) - above.reduce((latest, parent) => Math.max(latest, began.get(parent)), 0)],
    );
    if (delays.some((delay) => delay < 0)) throw new Error('A step has begun before one of its parents.');
    const times = [...began.values()];
    const first = times.reduce((least, at) => Math.min(least, at), Infinity);
    const last = times.reduce((most, at) => Math.max(most, at), 0);
    return [
      { measure: 'rate', value: (count * 1_000) / (last - first), unit: 'steps/s', better: 'more' },
      ...quantilesOf(delays, 'parent to child '),
    ];
  },
};
