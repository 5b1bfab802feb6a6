import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { CommandFailedError } from '../index.js';

const headBytes = 20;
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
