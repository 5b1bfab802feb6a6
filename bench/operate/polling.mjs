// How much slower jobs are drained while people look.
import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { query } from '../environment.mjs';
import { startRate } from '../measures.mjs';
import { SystemProcess } from '../processes.mjs';

/** What open pages ask for, a client one of them each second. */
const lists = [
  'jobs',
  'runs',
  'attempts',
  'queues',
  'jobs?orderBy=nextRunAt',
  'failures',
  'workers',
  'audit',
];

/** Rates in jobs/s of rounds in turns, `{ alone, watched }` each; and how long the answers took, in ms. */
export async function drainWatched({ url, api, clients, jobs, rounds }) {
  const client = await SystemProcess.start(
    'chronis',
    { url, mode: 'throughput', role: 'client' },
    process.execPath,
  );
  const answers = [];
  const drain = async (watching) => {
    await client.call('fill', jobs);
    await query(url, 'checkpoint');
    const worker = await SystemProcess.start(
      'chronis',
      { url, mode: 'throughput', role: 'worker' },
      process.execPath,
    );
    const watch = new Watch(api, watching, answers);
    try {
      await worker.call('work');
      return (await startRate(null, jobs, [worker])).perSecond;
    } finally {
      await watch.end();
      await worker.stop();
    }
  };
  try {
    await drain(clients);
    answers.length = 0;
    const rates = [];
    for (let round = 0; round < rounds; round++) {
      const order = round % 2 === 0 ? [0, clients] : [clients, 0];
      const [first, second] = [await drain(order[0]), await drain(order[1])];
      rates.push(order[0] === 0 ? { alone: first, watched: second } : { alone: second, watched: first });
    }
    return { rates, answers };
  } finally {
    await client.stop();
  }
}

/** Clients that ask at moments of their own. */
class Watch {
  #over = new AbortController();
  #clients;

  constructor(api, clients, answers) {
    setMaxListeners(clients, this.#over.signal);
    this.#clients = Array.from({ length: clients }, (_, nth) => this.#poll(api, nth, clients, answers));
  }

  async end() {
    this.#over.abort();
    await Promise.all(this.#clients);
  }

  async #poll(api, nth, clients, answers) {
    const { signal } = this.#over;
    const wait = (ms) => delay(ms, undefined, { signal }).catch(() => undefined);
    await wait((nth * 1_000) / clients);
    for (let turn = nth; !signal.aborted; turn++) {
      const { status, ms } = await api.get(`/chronis/${lists[turn % lists.length]}`);
      if (status !== 200) throw new Error(`${lists[turn % lists.length]} was answered by ${status}.`);
      answers.push(ms);
      await wait(1_000 - ms);
    }
  }
}
