import type { StandardIssue, StandardSchema } from '../index.js';
import type { BinarySettings } from './binary.options.js';
import { shown } from './option.checks.js';
import {
  argumentsOf,
  checkedProgram,
  programKeys,
  taskObject,
  type CheckedProgram,
  type ProgramTask,
  type Tell,
} from './program.task.js';

/** A task of the type `binary`. @publicApi */
export interface BinaryTask extends ProgramTask {
  /** Which program: what `BinaryStore.store()` has given. */
  sha256: string;
  /** What it is called by, the name of a file. @default 'program' */
  name?: string;
  /** Its arguments, as they are. @default none */
  args?: readonly string[];
}

/** The same, checked. */
export interface CheckedBinary extends CheckedProgram {
  sha256: string;
  name: string;
}

const keys = ['sha256', 'name', 'args', ...programKeys] as const;
export const sumPattern = /^[0-9a-f]{64}$/;
const fileName = /^[\w.+-]{1,100}$/;

/** What binary tasks are checked with, when they are made and before they run. `isThere`: whether a program is stored. */
export function binarySchema(
  settings: BinarySettings,
  isThere: (sha256: string) => Promise<boolean>,
): StandardSchema<BinaryTask, CheckedBinary> {
  const validate = async (
    given: unknown,
  ): Promise<{ value: CheckedBinary } | { issues: StandardIssue[] }> => {
    const issues: StandardIssue[] = [];
    const value = checked(given, settings, (message, ...path) => void issues.push({ message, path }));
    if (issues.length > 0) return { issues };
    if (await isThere(value.sha256)) return { value };
    const message = `no program is stored that has the SHA-256 ${value.sha256}. Store it first: BinaryStore.store({ path }), or chronis binaries store`;
    return { issues: [{ message, path: ['sha256'] }] };
  };
  return { '~standard': { version: 1, vendor: 'nestjs-chronis', validate } };
}

function checked(given: unknown, settings: BinarySettings, tell: Tell): CheckedBinary {
  const task = taskObject(given, keys, tell);
  const { sha256, name = 'program', args } = task;
  if (typeof sha256 !== 'string' || !sumPattern.test(sha256)) {
    tell(`must be 64 hexadecimal digits in lower case, but is ${shown(sha256)}`, 'sha256');
  }
  const isName = typeof name === 'string' && fileName.test(name) && !/^\.+$/.test(name);
  if (!isName) {
    tell(`must be the name of a file: letters, digits and . _ + -, but is ${shown(name)}`, 'name');
  }
  return {
    ...checkedProgram(task, settings, tell),
    ...{ sha256: sha256 as string, name: name as string, args: argumentsOf(args, tell) },
  };
}
