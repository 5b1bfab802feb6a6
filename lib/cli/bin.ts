#!/usr/bin/env node
import { createInterface } from 'node:readline/promises';
import type { CliIo, Stream } from './cli.io.js';
import { exitCodes } from './exit.codes.js';
import { main } from './main.js';

// The program: what the process is to `main`.

const ending = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // Who asks twice does not want to wait.
    if (ending.signal.aborted)
      process.exit(signal === 'SIGINT' ? exitCodes.interrupted : exitCodes.terminated);
    ending.abort(signal);
  });
}

// Of Node: that it has SQLite, or loads ES modules by require, is nothing that somebody could mend.
const warned = process.listeners('warning');
process.removeAllListeners('warning');
process.on('warning', (warning) => {
  if (warning.name !== 'ExperimentalWarning') for (const tell of warned) tell(warning);
});

/** Of a result that could not be written, as to a disk that is full. */
let lost: Error | null = null;

const { stdout, stderr } = process;
/** Those of the results, whoever else is kept from stdout. */
const writes = new Map<NodeJS.WriteStream, NodeJS.WriteStream['write']>(
  [stdout, stderr].map((each) => [each, each.write.bind(each)]),
);

function stream(to: NodeJS.WriteStream): Stream {
  const write = writes.get(to)!;
  let isOpen = true;
  to.on('error', (error: NodeJS.ErrnoException) => {
    isOpen = false;
    // Whoever reads it has read enough: what was begun comes to its end all the same.
    if (error.code !== 'EPIPE') lost = error;
  });
  return {
    write: (text) => void (isOpen && write(text)),
    isTerminal: to.isTTY === true,
    // Where nobody has said how wide it is, it is 0.
    columns: to.isTTY ? to.columns || undefined : undefined,
    get isGone() {
      return !isOpen;
    },
  };
}

async function ask(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  // A terminal hands Ctrl-C to whoever reads its lines.
  lines.on('SIGINT', () => process.kill(process.pid, 'SIGINT'));
  try {
    return await lines.question(question, { signal: ending.signal });
  } finally {
    lines.close();
  }
}

function flushed(to: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (to.destroyed || to.writableEnded) resolve();
    else writes.get(to)!('', () => resolve());
  });
}

/** Loggers ask for its file descriptor as well, so that it is another stream for all who look for it from now on. */
function keepStdout(): void {
  stdout.write = stderr.write.bind(stderr);
  Object.defineProperty(process, 'stdout', { configurable: true, enumerable: true, get: () => stderr });
}

const io: CliIo = {
  stdout: stream(stdout),
  stderr: stream(stderr),
  keepStdout,
  env: process.env,
  signal: ending.signal,
  ask: process.stdin.isTTY && process.stderr.isTTY ? ask : null,
};

void main(process.argv.slice(2), io).then(async (exitCode) => {
  await Promise.all([flushed(stdout), flushed(stderr)]);
  if (lost !== null) stderr.write(`chronis: The result could not be written: ${lost.message}\n`);
  process.exit(lost !== null && exitCode === exitCodes.fine ? exitCodes.failed : exitCode);
});
