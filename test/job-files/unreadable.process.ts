import { setTimeout as delay } from 'node:timers/promises';
import { FolderScanner } from '../../lib/job-files/folder.scanner.js';

const patienceMs = 10_000;

/** Looks at the folder of its argument as whoever it is run as, and prints what it finds: a problem, or so many files as the second argument says, each once it has been left alone for a moment. */
async function main(): Promise<void> {
  const [directory, count] = process.argv.slice(2) as [string, string];
  const monotonic = (): number => performance.now();
  const scanner = new FolderScanner({ directory, emptyGraceMs: 0, monotonic });
  const files: [string, string][] = [];
  let problem: unknown = null;
  while (problem === null && files.length < Number(count) && monotonic() < patienceMs) {
    const look = await scanner.look();
    problem = look.problem;
    for (const { name, content } of look.changed)
      files.push([name, 'message' in content ? content.message : 'read']);
    await delay(20);
  }
  console.log(JSON.stringify({ problem, files: files.toSorted(([a], [b]) => (a < b ? -1 : 1)) }));
}

void main();
