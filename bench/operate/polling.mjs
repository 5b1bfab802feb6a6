// How much slower jobs are drained while people look.
import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { query } from '../environment.mjs';
import { startRate } from '../measures.mjs';
import { SystemProcess } from '../processes.mjs';
import { startConstant } from './api.mjs';

/** How often an open page asks, as dashboards do unless somebody wants it otherwise. */
export const paceMs = 5_000;
/** What pages ask for; a client has one of them open. */
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

/**
 * Rates in jobs/s of rounds in turns, `{ alone, constant, watched }` each: nobody looks; the clients ask a process that gives constant answers, so that they cost what clients cost; they ask the API. And how
 * long the answers of the API took, in ms.
 */
export async function drainWatched({ url, api, clients, jobs, rounds }) {
  const client = await SystemProcess.start(
    'chronis',
    { url, mode: 'throughput', role: 'client' },
    process.execPath,
  );
  const constant = await startConstant(await answersOf(api));
  const answers = [];
  const drain = async (asked, times) => {
    await client.call('fill', jobs);
    await query(url, 'checkpoint');
    const worker = await SystemProcess.start(
      'chronis',
      { url, mode: 'throughput', role: 'worker' },
      process.execPath,
    );
    const watch = new Watch(asked, asked === null ? 0 : clients, times);
    try {
      await worker.call('work');
      return (await startRate(null, jobs, [worker])).perSecond;
    } finally {
      await watch.end();
      await worker.stop();
    }
  };
  const kinds = [
    ['alone', null],
    ['constant', constant],
    ['watched', api],
  ];
  try {
    await drain(api, []);
    const rates = [];
    for (let round = 0; round < rounds; round++) {
      const rate = {};
      const turns = [...kinds.slice(round % 3), ...kinds.slice(0, round % 3)];
      for (const [kind, asked] of turns) rate[kind] = await drain(asked, kind === 'watched' ? answers : []);
      rates.push(rate);
    }
    return { rates, answers };
  } finally {
    await constant.stop();
    await client.stop();
  }
}

async function answersOf(api) {
  const answers = {};
  for (const list of lists) answers[pathOf(list)] = (await api.get(pathOf(list))).body;
  return answers;
}

const pathOf = (list) => `/chronis/${list}`;

/** Clients that ask at moments of their own. */
class Watch {
  #over = new AbortController();
  #clients;

  constructor(api, clients, answers) {
    setMaxListeners(clients + 1, this.#over.signal);
    this.#clients = Array.from({ length: clients }, (_, nth) => this.#poll(api, nth, clients, answers));
  }

  async end() {
    this.#over.abort();
    await Promise.all(this.#clients);
  }

  async #poll(api, nth, clients, answers) {
    const { signal } = this.#over;
    const wait = (ms) => delay(ms, undefined, { signal }).catch(() => undefined);
    const path = pathOf(lists[nth % lists.length]);
    await wait((nth * paceMs) / clients);
    while (!signal.aborted) {
      const { status, ms } = await api.get(path);
      if (status !== 200) throw new Error(`${path} was answered by ${status}.`);
      answers.push(ms);
      await wait(paceMs - ms);
    }
  }
}
