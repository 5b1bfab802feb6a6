import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { provideDatabase } from '../support/database.js';

const names = ['ada', 'bob', 'cem'];
const crons = ['tick', 'chime', 'wind'];
const seconds = 6;

interface Ran {
  name: string;
  cron: string;
  at: number;
}

/** Runs three processes for a while and notes who ran what. */
async function watch(env: Record<string, string>): Promise<Ran[]> {
  const ran: Ran[] = [];
  const processes = await Promise.all(names.map((name) => start(name, env, ran)));
  await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
  const exits = processes.map((child) => once(child, 'exit'));
  for (const child of processes) child.kill('SIGTERM');
  await Promise.all(exits);
  return ran;
}

function start(name: string, env: Record<string, string>, ran: Ran[]): Promise<ChildProcess> {
  const child = fork(new URL('./worker.js', import.meta.url), { env: { ...process.env, ...env } });
  return new Promise((resolve) => {
    child.on('message', (message: 'ready' | Omit<Ran, 'name'>) => {
      if (message === 'ready') resolve(child);
      else ran.push({ name, ...message });
    });
  });
}

function print(ran: Ran[]): void {
  const rows = crons.map((cron) => {
    const own = ran.filter((run) => run.cron === cron);
    const columns = names.map((name) => [name, own.filter((run) => run.name === name).length]);
    const seconds = new Set(own.map(({ at }) => Math.floor(at / 1_000)));
    return [cron, { 'due instants': seconds.size, runs: own.length, ...Object.fromEntries(columns) }];
  });
  console.table(Object.fromEntries(rows));
}

const database = await provideDatabase();
console.log(`\nAs with @nestjs/schedule: each of three processes runs every cron. ${seconds} seconds:`);
print(await watch({}));
console.log(`\nWith the option "distributed": together they run each due instant once. ${seconds} seconds:`);
print(await watch({ DISTRIBUTED: 'yes' }));
await database.stop();
