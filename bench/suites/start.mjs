import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const child = new URL('../start.child.mjs', import.meta.url).pathname;

export const suite = {
  about:
    'What the package adds to the start of an application with @Cron methods, ten in each provider, on PostgreSQL: imports; the start until the jobs are in the tables and the worker runs, less the start of the same providers without the package; statements that it takes. A new process each time: the first finds an empty database, the second nothing changed. No warm-up.',
  mode: 'latency',
  rounds: 5,
  quickRounds: 2,
  onlyOurs: true,
  settings: () => [
    { name: '10 methods', methods: 10 },
    { name: '1000 methods', methods: 1_000 },
  ],

  async run(run, { methods }) {
    // Not the same set of declarations as in the other process.
    await run.client.stop();
    const first = await start(run, methods);
    const second = await start(run, methods);
    const line = (measure, value, unit = 'ms') => ({ measure, value, unit, better: 'less' });
    return [
      line('import of Nest', second.nest),
      line('import of nestjs-chronis', second.chronis),
      line('import of nestjs-chronis/typeorm', second.typeorm),
      line('first start', first.start - first.plain),
      line('first start, statements', first.statements, 'statements'),
      line('second start', second.start - second.plain),
      line('second start, statements', second.statements, 'statements'),
    ];
  },
};

async function start({ execPath, url }, methods) {
  const { stdout } = await promisify(execFile)(execPath, [child, url, String(methods)], { env: { ...process.env, NODE_ENV: 'production' } });
  return JSON.parse(stdout.trim().split('\n').at(-1));
}
