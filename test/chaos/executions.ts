import { appendFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunContext } from '../../lib/index.js';

/** One call of a handler, as the world saw it: no database can take it back. Times in ms by the clock of the machine. */
export interface Execution {
  runId: string;
  jobId: string;
  nominalAt: number;
  attempt: number;
  pid: number;
  beganAt: number;
  /** null: it never came to its end. */
  endedAt: number | null;
  ended: 'done' | 'failed' | null;
}

type Line = { n: number } & (Omit<Execution, 'endedAt' | 'ended'> | Pick<Execution, 'endedAt' | 'ended'>);

/** Writes each execution down before it does anything. A line that is written outlives a kill -9. */
export class Executions {
  private serial = 0;

  constructor(private readonly file: string) {}

  async around(
    { runId, job, nominalAt, attempt }: RunContext,
    work: () => Promise<unknown>,
  ): Promise<unknown> {
    const n = ++this.serial;
    const begin = { runId, jobId: job.id, nominalAt: nominalAt.getTime(), attempt, pid: process.pid };
    this.write({ n, ...begin, beganAt: Date.now() });
    try {
      const result = await work();
      this.write({ n, endedAt: Date.now(), ended: 'done' });
      return result;
    } catch (error) {
      this.write({ n, endedAt: Date.now(), ended: 'failed' });
      throw error;
    }
  }

  private write(line: Line): void {
    appendFileSync(this.file, `${JSON.stringify(line)}\n`);
  }
}

/** All that the files of this folder tell. */
export function readExecutions(folder: string): Execution[] {
  const executions: Execution[] = [];
  for (const name of readdirSync(folder)) {
    const own = new Map<number, Execution>();
    for (const text of readFileSync(join(folder, name), 'utf8').split('\n')) {
      if (text === '') continue;
      const { n, ...told } = JSON.parse(text) as Line;
      const begun = own.get(n);
      if (begun !== undefined) Object.assign(begun, told);
      else own.set(n, { endedAt: null, ended: null, ...(told as Omit<Execution, 'endedAt' | 'ended'>) });
    }
    executions.push(...own.values());
  }
  return executions.toSorted((a, b) => a.beganAt - b.beganAt);
}
