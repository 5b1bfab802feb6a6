import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A process, so that no other one is ever taken for it: the start counts from the boot of the machine, and ids are those of a namespace. */
export interface ProcessIdentity {
  pid: number;
  startedAt: string;
  /** Of processes: what is 7 here is another one in another container. */
  namespace: string;
  boot: string;
}

/** This process; null: the system does not tell (it has no /proc). */
export function ownIdentity(): ProcessIdentity | null {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const namespace = readlinkSync('/proc/self/ns/pid').replaceAll(/\D/g, '');
    const { pid } = process;
    const startedAt = statOf(pid)?.startedAt;
    return startedAt === undefined ? null : { pid, startedAt, namespace, boot };
  } catch {
    return null;
  }
}

/** Whether the process lives, and not another one under its id. Of this boot and namespace. */
export function isAlive({ pid, startedAt }: ProcessIdentity): boolean {
  const stat = statOf(pid);
  return stat !== null && stat.startedAt === startedAt && !isDead(stat);
}

/** The processes of a group that live; null: the system does not tell. */
export function membersOf(group: number): number[] | null {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => {
        const stat = statOf(pid);
        return stat !== null && stat.group === group && !isDead(stat);
      });
  } catch {
    return null;
  }
}

/** The variables that a process began with; none where it may not be looked at. */
export function environmentOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

/** It waits for its parent to look at its end. */
function isDead({ state }: { state: string }): boolean {
  return state === 'Z' || state === 'X';
}

function statOf(pid: number): { state: string; group: number; startedAt: string } | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, in brackets, may hold anything.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0]!, group: Number(fields[2]), startedAt: fields[19]! };
  } catch {
    return null;
  }
}
