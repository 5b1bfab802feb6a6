import { closeSync, constants, openSync, readdirSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { CommandFailedError } from '../index.js';

const headBytes = 20;
/** As much of a first line is looked at by systems, and as many files one after the other. */
const lineBytes = 256;
const deepestInterpreter = 4;
/** Of Mach-O, in both orders of its bytes, and of several in one. */
const ofApple = ['feedface', 'feedfacf', 'cefaedfe', 'cffaedfe', 'cafebabe'];
/** Of ELF: which machines run the programs of others as well. */
const alsoRun: Readonly<Record<number, readonly number[]>> = { 62: [3], 183: [40] };
const handlers = '/proc/sys/fs/binfmt_misc';

/** What the system cannot execute is handed to /bin/sh by the C library, which takes any bytes for commands. Throws CommandFailedError. */
export function assertExecutable(bytes: Uint8Array, name: string): void {
  const head = Buffer.from(bytes.subarray(0, headBytes));
  const why = head.subarray(0, 2).toString('latin1') === '#!' ? null : hindrance(head);
  if (why === null) return;
  throw new CommandFailedError(name, `${name} was not started: ${why} (ENOEXEC).`);
}

/** The same of a file, and of what its first line names. What cannot be read is left to the system: it may be executed all the same, or it is said why not. Throws CommandFailedError. */
export async function assertExecutableFile(path: string, name: string, depth = 0): Promise<void> {
  const head = await beginOf(path);
  if (head === null) return;
  assertExecutable(head, name);
  const interpreter = /^#![ \t]*([^\s\0]+)/.exec(head.toString('latin1'))?.[1];
  if (interpreter === undefined || depth === deepestInterpreter) return;
  const file = Buffer.from(interpreter, 'latin1').toString();
  await assertExecutableFile(file, `${file}, which the first line of ${name} names,`, depth + 1);
}

async function beginOf(path: string): Promise<Buffer | null> {
  // Nobody may write to a pipe, ever.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch(() => null);
  if (file === null) return null;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(lineBytes), 0, lineBytes, 0);
    return buffer.subarray(0, bytesRead);
  } catch {
    return null;
  } finally {
    await file.close();
  }
}

function hindrance(head: Buffer): string | null {
  if (process.platform === 'darwin' && ofApple.includes(head.subarray(0, 4).toString('hex'))) return null;
  if (process.platform === 'darwin' || !isElf(head))
    return 'it is no program of this system, and its first line (#!) names none';
  const own = headOf(process.execPath);
  if (own === null || !isElf(own) || runsOthers()) return null;
  const [machine, ownMachine] = [machineOf(head), machineOf(own)];
  if (machine === ownMachine || alsoRun[ownMachine]?.includes(machine)) return null;
  return 'it is a program for another machine';
}

function isElf(head: Buffer): boolean {
  return head.length === headBytes && head.subarray(0, 4).toString('latin1') === '\u007fELF';
}

function machineOf(elf: Buffer): number {
  return elf[5] === 2 ? elf.readUInt16BE(18) : elf.readUInt16LE(18);
}

/** Programs may be registered that run those of other machines. */
function runsOthers(): boolean {
  try {
    return readdirSync(handlers).some((each) => each !== 'register' && each !== 'status');
  } catch {
    return false;
  }
}

function headOf(path: string): Buffer | null {
  try {
    const file = openSync(path, 'r');
    try {
      const head = Buffer.alloc(headBytes);
      return readSync(file, head) === headBytes ? head : null;
    } finally {
      closeSync(file);
    }
  } catch {
    return null;
  }
}
