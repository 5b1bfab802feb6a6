import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const longestLookMs = 20_000;
/** What Node writes before the line of the source. */
const place = /^(file:\/\/\S+|\/.*|[a-z]:\\.*):(\d+)\r?$/im;
/** A module that Node could not compile: its error does not say which one. */
const ofModule = /^.*\n\s+at \S+ \(node:internal\/modules\/esm\//;

/** Where the source is that an error of syntax is about, which the import of a file came to: `path:line`. null: it is about none, as that of JSON.parse. */
export function sourcePlace({ stack = '' }: SyntaxError, imported: URL): string | null {
  const [head] = stack.split(/^SyntaxError/m);
  return placeIn(head!) ?? (ofModule.test(stack) ? placeIn(saidOf(imported)) : null);
}

function placeIn(text: string): string | null {
  const [, path, line] = place.exec(text) ?? [];
  if (path === undefined) return null;
  return `${path.startsWith('file:') ? fileURLToPath(path) : path}:${line}`;
}

/** Node tells it of an error that ends a process, and nobody else. Nothing runs before all modules are compiled. */
function saidOf(imported: URL): string {
  const script = `await import(${JSON.stringify(imported.href)})`;
  const args = [...process.execArgv, '--input-type=module', '--eval', script];
  const stdio = ['ignore', 'ignore', 'pipe'] as const;
  return spawnSync(process.execPath, args, { encoding: 'utf8', timeout: longestLookMs, stdio: [...stdio] })
    .stderr;
}
