// The processes of a system, from the parent's side.
import { fork } from 'node:child_process';

/** A process that runs one system. Calls are answered in the order in which they end. */
export class SystemProcess {
  #child;
  #waiting = new Map();
  #said = '';
  #nextId = 1;

  /** Resolves when the system is open. */
  static async start(system, options, execPath) {
    const process = new SystemProcess();
    await process.#begin(system, options, execPath);
    return process;
  }

  call(name, ...args) {
    return new Promise((resolve, reject) => {
      if (!this.#child.connected) return reject(new Error(`Its process has ended: ${this.#said}`));
      const id = this.#nextId++;
      this.#waiting.set(id, { resolve, reject });
      this.#child.send({ id, name, args });
    });
  }

  /** In order if it can within some seconds. */
  async stop() {
    if (!this.#child.connected) return;
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    const kill = setTimeout(() => this.#child.kill('SIGKILL'), 10_000);
    await this.call('close').catch(() => undefined);
    if (this.#child.connected) this.#child.disconnect();
    await gone;
    clearTimeout(kill);
  }

  #begin(system, options, execPath) {
    const child = fork(new URL('child.mjs', import.meta.url), [JSON.stringify({ system, options })], {
      execPath,
      cwd: import.meta.dirname,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...process.env, NODE_ENV: 'production' },
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => (this.#said = (this.#said + text).slice(-2_000)));
    }
    return new Promise((resolve, reject) => {
      child.on('message', ({ ready, id, value, error }) => {
        if (ready) return resolve();
        const { resolve: done, reject: fail } = this.#waiting.get(id);
        this.#waiting.delete(id);
        if (error === undefined) done(value);
        else fail(new Error(error));
      });
      child.once('exit', (code) => {
        const error = new Error(`Its process ended with code ${code}: ${this.#said}`);
        reject(error);
        for (const { reject: fail } of this.#waiting.values()) fail(error);
      });
    });
  }
}
