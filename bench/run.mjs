// One run of one system: a database of its own, the processes, and the end of them all.
import { query } from './environment.mjs';
import { SystemProcess } from './processes.mjs';

let number = 0;

/** Calls `work` with a new Run; its processes and its database are gone afterwards. */
export async function inRun(options, work) {
  const run = new Run(options);
  try {
    await run.begin();
    return await work(run);
  } finally {
    await run.end();
  }
}

class Run {
  #processes = [];

  /** `server`: its URL; `about`: of the system; `mode`: which of its settings; `execPath`: of Node. */
  constructor({ server, about, mode, execPath }) {
    Object.assign(this, { server, about, mode, execPath });
    this.database = `bench_${process.pid}_${++number}`;
    this.url = Object.assign(new URL(server), { pathname: `/${this.database}` }).href;
  }

  async begin() {
    await query(this.server, `create database ${this.database}`);
    /** Creates jobs and counts them, but runs none. */
    this.client = await this.start('client');
  }

  /** `role`: 'client' or 'worker'; `copies`: so many of it in the process. */
  async start(role, copies = 1) {
    // Who has no server does all in one process.
    if (this.about.oneProcess && this.client) return this.client;
    const { url, mode } = this;
    const options = { url, mode, role, copies, redisUrl: process.env.REDIS_URL };
    const started = await SystemProcess.start(this.about.name, options, this.execPath);
    this.#processes.push(started);
    return started;
  }

  sql(text) {
    return query(this.url, text);
  }

  serverSql(text) {
    return query(this.server, text);
  }

  /** What autovacuum and the checkpointer would otherwise do at a moment of their own. */
  async tidy() {
    await this.sql('vacuum analyze');
    await this.sql('checkpoint');
  }

  async end() {
    for (const child of this.#processes.toReversed()) await child.stop();
    await query(this.server, `drop database if exists ${this.database} with (force)`);
  }
}
