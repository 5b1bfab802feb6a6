import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { bootId, pidNamespace, startOf } from './process.table.js';

/** Who has a lock: enough to tell a process that is gone from another one that has got its number. */
export interface Holder {
  pid: number;
  /** In ticks since the machine has booted; null: this system does not tell. */
  startTime: string | null;
  bootId: string | null;
  /** Numbers of processes mean something within it only. */
  pidNamespace: string | null;
  host: string;
}

/** The process that a lock names, and whether its number is one of this machine and container; null: there is no lock, or it names none. */
export function lockHolder(path: string): { pid: number; host: string; isHere: boolean } | null {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return null;
  }
  const holder = holderIn(text);
  return holder && { pid: holder.pid, host: holder.host, isHere: isOfHere(holder) };
}

/** As a lock names this process. */
export function thisProcess(): Holder {
  const { pid } = process;
  return {
    pid,
    startTime: startOf(pid),
    bootId: bootId(),
    pidNamespace: pidNamespace(),
    host: hostname(),
  };
}

/** Whose number means the same to this process. */
export function isOfHere({ bootId: boot, pidNamespace: namespace, host }: Holder): boolean {
  const mine = thisProcess();
  return boot === mine.bootId && namespace === mine.pidNamespace && host === mine.host;
}

/** Null: the text names none. */
export function holderIn(text: string): Holder | null {
  try {
    const holder = JSON.parse(text) as Partial<Holder> | null;
    return typeof holder?.pid === 'number' && typeof holder.host === 'string' ? (holder as Holder) : null;
  } catch {
    return null;
  }
}
