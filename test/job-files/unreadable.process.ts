import { FolderScanner } from '../../lib/job-files/folder.scanner.js';

/** Looks at the folder of its argument as whoever it is run as, and prints what it finds. */
async function main(): Promise<void> {
  const directory = process.argv[2]!;
  const monotonic = (): number => performance.now();
  const { problem, changed } = await new FolderScanner({ directory, emptyGraceMs: 0, monotonic }).look();
  const files = changed.map(({ name, content }) => [name, 'message' in content ? content.message : 'read']);
  console.log(JSON.stringify({ problem, files }));
}

void main();
