import { readdirSync, readFileSync } from 'node:fs';

const limitMs = 20_000;
const betweenMs = 10;

/** Waits for what processes of the system do, which nothing else tells. */
export async function until(what: string, isSo: () => boolean): Promise<void> {
  const begin = performance.now();
  while (!isSo()) {
    if (performance.now() - begin > limitMs) throw new Error(`Waited in vain until ${what}.`);
    await new Promise((resolve) => void setTimeout(resolve, betweenMs));
  }
}

/** The processes that live and have this in their variables or in their arguments. */
export function processesWith(text: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && isLivingWith(pid, text));
}

function isLivingWith(pid: number, text: string): boolean {
  try {
    const read = (file: string): string => readFileSync(`/proc/${pid}/${file}`, 'utf8');
    return (
      (read('environ').includes(text) || read('cmdline').includes(text)) && !/\) [ZX] /.test(read('stat'))
    );
  } catch {
    return false;
  }
}
