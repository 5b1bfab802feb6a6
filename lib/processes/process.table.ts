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
  const { pid } = process;
  const startedAt = startOf(pid);
  const namespace = pidNamespace()?.replaceAll(/\D/g, '');
  const boot = bootId();
  if (startedAt === null || namespace === undefined || boot === null) return null;
  return { pid, startedAt, namespace, boot };
}

/** Whether the process lives, and not another one under its id. Of this boot and namespace; where the system does not tell of processes, or not of this one, whoever has the id counts. */
export function isAlive({ pid, startedAt }: { pid: number; startedAt: string | null }): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const stat = statOf(pid);
  if (stat === null) return true;
  return !isDead(stat) && (startedAt === null || stat.startedAt === startedAt);
}

/** When a process has started, in ticks since the boot; null: the system does not tell. */
export function startOf(pid: number): string | null {
  return statOf(pid)?.startedAt ?? null;
}

/** Of this boot of the machine; null: the system does not tell. */
export function bootId(): string | null {
  return contentOf('/proc/sys/kernel/random/boot_id')?.trim() ?? null;
}

/** Within which ids of processes mean something; null: the system does not tell. */
export function pidNamespace(): string | null {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return null;
  }
}

/** The processes of a group that live; null: the system does not tell. */
export function membersOf(group: number): number[] | null {
  return living()?.flatMap(({ pid, stat }) => (stat.group === group ? pid : [])) ?? null;
}

/**
 * The groups that began as sessions and have a member with all of these variables (`name=value`), those with the oldest such member first; a group that a shell has made within a session is none. None where the system does not tell.
 */
export function sessionsWith(variables: readonly string[]): number[] {
  const found = (living() ?? []).filter(
    ({ pid, stat }) => stat.group === stat.session && hasVariables(pid, variables),
  );
  found.sort((a, b) => Number(a.stat.startedAt) - Number(b.stat.startedAt) || a.pid - b.pid);
  return [...new Set(found.map(({ stat }) => stat.group))];
}

/** Whether a process began with all of these variables (`name=value`); false where it may not be looked at. */
export function hasVariables(pid: number, variables: readonly string[]): boolean {
  const its = new Set(contentOf(`/proc/${pid}/environ`)?.split('\0'));
  return variables.every((variable) => its.has(variable));
}

interface Stat {
  state: string;
  group: number;
  session: number;
  startedAt: string;
}

function living(): { pid: number; stat: Stat }[] | null {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name) => {
        const stat = statOf(Number(name));
        return stat === null || isDead(stat) ? [] : { pid: Number(name), stat };
      });
  } catch {
    return null;
  }
}

/** It waits for its parent to look at its end. */
function isDead({ state }: { state: string }): boolean {
  return state === 'Z' || state === 'X';
}

function statOf(pid: number): Stat | null {
  const text = contentOf(`/proc/${pid}/stat`);
  if (text === null) return null;
  // The name, in brackets, may hold anything.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0]!, group: Number(fields[2]), session: Number(fields[3]), startedAt: fields[19]! };
}

function contentOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
