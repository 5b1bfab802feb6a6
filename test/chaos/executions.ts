import { appendFileSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunContext } from '../../lib/index.js';
import type { DeafNote, Evidence, LoopNote, SilenceNote } from './evidence.js';

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

/** The event loop of this process turns, or did not between these times. */
type LoopLine = { loop: number; from: number; until: number };

/** The server did not answer this process between these times. */
type SilenceLine = { silence: number; from: number; until: number };

/** This process knows from this time on that it is told of nothing, or that it is again. */
type DeafLine = { deaf: number; at: number; isDeaf: boolean };

const tickMs = 10;
/** A turn that is so late is worth a note. */
const lateMs = 20;

/** Writes each execution down before it does anything. A line that is written outlives a kill -9. */
export class Executions {
  private serial = 0;

  constructor(private readonly file: string) {}

  /** Writes down when nothing of this process turns: then it neither works nor learns of anything. Returns what ends that. */
  watchLoop(): () => void {
    let last = Date.now();
    this.write({ loop: process.pid, from: last, until: last });
    const timer = setInterval(() => {
      const now = Date.now();
      if (now - last >= tickMs + lateMs) this.write({ loop: process.pid, from: last, until: now });
      last = now;
    }, tickMs);
    timer.unref();
    return () => clearInterval(timer);
  }

  /** Writes down that the server did not answer meanwhile. */
  noteSilence(from: number, until: number): void {
    this.write({ silence: process.pid, from, until });
  }

  /** Writes down that it is not told of anything any more, or is again. */
  noteDeafness(isDeaf: boolean): void {
    this.write({ deaf: process.pid, at: Date.now(), isDeaf });
  }

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

  private write(line: Line | LoopLine | SilenceLine | DeafLine): void {
    appendFileSync(this.file, `${JSON.stringify(line)}\n`);
  }
}

/** All that the files of this folder tell. */
export function readExecutions(
  folder: string,
): Pick<Evidence, 'executions' | 'loops' | 'proxyStalls' | 'silences' | 'deaf'> {
  const executions: Execution[] = [];
  const loops: LoopNote[] = [];
  const silences: SilenceNote[] = [];
  const deaf: DeafNote[] = [];
  for (const name of readdirSync(folder)) {
    const own = new Map<number, Execution>();
    let loop: LoopNote | null = null;
    let deafness: DeafNote | null = null;
    for (const text of readFileSync(join(folder, name), 'utf8').split('\n')) {
      if (text === '') continue;
      const line = JSON.parse(text) as Line | LoopLine | SilenceLine | DeafLine;
      if ('loop' in line) {
        const { loop: pid, from, until } = line;
        if (loop === null) loops.push((loop = { pid, from, stalls: [] }));
        else loop.stalls.push({ from, until });
        continue;
      }
      if ('silence' in line) {
        const { silence: pid, from, until } = line;
        silences.push({ pid, from, until });
        continue;
      }
      if ('deaf' in line) {
        const { deaf: pid, at, isDeaf } = line;
        if (isDeaf && deafness === null) deaf.push((deafness = { pid, from: at, until: Infinity }));
        if (!isDeaf && deafness !== null) deafness.until = at;
        if (!isDeaf) deafness = null;
        continue;
      }
      const { n, ...told } = line;
      const begun = own.get(n);
      if (begun !== undefined) Object.assign(begun, told);
      else own.set(n, { endedAt: null, ended: null, ...(told as Omit<Execution, 'endedAt' | 'ended'>) });
    }
    executions.push(...own.values());
  }
  return {
    executions: executions.toSorted((a, b) => a.beganAt - b.beganAt),
    loops: loops.filter(({ pid }) => pid !== process.pid),
    silences,
    deaf,
    proxyStalls: loops.find(({ pid }) => pid === process.pid)?.stalls ?? [],
  };
}
