import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { command, type CliCommand } from '../cli.command.js';
import { UsageError } from '../cli.errors.js';

/** As the storages take it; it is looked at before one is opened. */
const mostBytes = 16 * 1_048_576;

const storeBinary = command({
  name: 'binaries store',
  summary: 'stores a program for tasks of the type binary, and prints the SHA-256 by which they name it',
  arguments: { '<file>': 'the program' },
  options: {},
  examples: ['chronis binaries store ./import'],
  run: async ({ args: [file], out, open }) => {
    const bytes = programIn(resolve(file!));
    const session = await open();
    const binary = await session.storeBinary(bytes);
    out.print({ binary }, (paper) => paper.line(binary.sha256));
  },
});

/** Throws UsageError. */
function programIn(file: string): Uint8Array {
  const refuse = (problem: string): never => {
    throw new UsageError(`${file} ${problem}`);
  };
  try {
    const found = statSync(file);
    if (!found.isFile()) refuse('is no file.');
    if (found.size === 0) refuse('is empty, which is no program.');
    if (found.size > mostBytes) {
      refuse(
        `has ${found.size} bytes, but a program may have ${mostBytes}. Put a small one there that fetches the rest, or install it where the service is and run it by execute_command.`,
      );
    }
    return readFileSync(file);
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    return refuse(`cannot be read: ${(cause as Error).message}.`);
  }
}

export const binaryCommands: CliCommand[] = [storeBinary];
