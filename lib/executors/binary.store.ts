import { createHash } from 'node:crypto';
import { open, type FileHandle } from 'node:fs/promises';
import { InvalidOptionError, type StorageAdapter, type StoredBinary } from '../index.js';
import type { BinarySettings } from './binary.options.js';
import { sumPattern } from './binary.task.js';
import { knownOptions, shown } from './option.checks.js';

/** Where the bytes of a program are: one of `path`, `bytes` and `base64`. @publicApi */
export interface BinaryContent {
  /** A file of this machine, which is read now. */
  path?: string;
  bytes?: Uint8Array;
  /** The bytes as text, as in JSON. */
  base64?: string;
  /** What the SHA-256 of the bytes has to be, 64 hexadecimal digits in lower case. @default anything */
  sha256?: string;
}

const ways = ['path', 'bytes', 'base64'] as const;

/**
 * Stores programs for tasks of the type `binary`, which name them by the SHA-256 of their bytes. Of the module that imports ChronisExecutorsModule.
 *
 * @example
 * const { sha256 } = await binaries.store({ path: '/build/import' });
 * await scheduler.createJob({ id: 'import', task: { type: 'binary', sha256, args: ['--all'] }, cron: '0 2 * * *' });
 * @publicApi
 */
export class BinaryStore {
  constructor(
    private readonly settings: BinarySettings | null,
    private readonly storage: StorageAdapter | null,
  ) {}

  /**
   * Stores it where it is not there, in a transaction of its own. Once no job, run or definition names it any more it goes, a day later. Throws InvalidOptionError for what cannot be read, is empty, is longer than `maxBytes` or has another sum, and where the
   * module has no `binary`, or the storage keeps no programs.
   */
  async store(content: BinaryContent): Promise<StoredBinary> {
    const { settings, storage } = this;
    if (settings === null || storage === null) {
      const problem =
        'is not opted in: ChronisExecutorsModule.forRoot({ binary: {} }) lets tasks bring programs along.';
      throw new InvalidOptionError('binary', problem);
    }
    const { binaries, kind } = storage;
    if (binaries === undefined) {
      throw new InvalidOptionError('storage', `"${kind}" keeps no programs: its adapter has no "binaries".`);
    }
    const bytes = await bytesOf(content, settings.maxBytes);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const wanted = content.sha256;
    if (wanted !== undefined && (typeof wanted !== 'string' || !sumPattern.test(wanted))) {
      const problem = `must be 64 hexadecimal digits in lower case, but is ${shown(wanted)}.`;
      throw new InvalidOptionError('sha256', problem);
    }
    if (wanted !== undefined && wanted !== sha256) {
      const problem = `is ${wanted}, but the bytes have ${sha256}. They are not what was meant, or were changed on their way.`;
      throw new InvalidOptionError('sha256', problem);
    }
    return binaries.putBinary(sha256, bytes);
  }
}

async function bytesOf(content: BinaryContent, most: number): Promise<Uint8Array> {
  const given = knownOptions(content, [...ways, 'sha256'], 'BinaryStore.store()');
  const [way, ...others] = ways.filter((each) => given[each] !== undefined);
  if (way === undefined || others.length > 0) {
    throw new InvalidOptionError('BinaryStore.store()', `takes exactly one of ${ways.join(', ')}.`);
  }
  const bytes = await readers[way](given[way] as never, most);
  if (bytes.length === 0) throw new InvalidOptionError(way, 'is empty, which is no program.');
  assertFits(way, bytes.length, most);
  return bytes;
}

const readers = {
  path: (path: unknown, most: number) => readFile(path, most),
  bytes: async (bytes: unknown) => {
    if (bytes instanceof Uint8Array) return bytes;
    throw new InvalidOptionError('bytes', `must be a Buffer or a Uint8Array, but is ${shown(bytes)}.`);
  },
  base64: async (text: unknown) => {
    // Buffer.from() leaves out what it does not know.
    if (typeof text === 'string' && /^[A-Za-z0-9+/]*={0,2}$/.test(text) && text.length % 4 === 0)
      return Buffer.from(text, 'base64');
    throw new InvalidOptionError(
      'base64',
      'must be text in Base64, with its padding and without line breaks.',
    );
  },
} as const;

async function readFile(path: unknown, most: number): Promise<Uint8Array> {
  if (typeof path !== 'string' || path === '') {
    throw new InvalidOptionError('path', `must be the path of a file, but is ${shown(path)}.`);
  }
  let file: FileHandle | null = null;
  try {
    file = await open(path, 'r');
    const stat = await file.stat();
    if (!stat.isFile()) throw new Error('it is no file');
    assertFits('path', stat.size, most);
    return await file.readFile();
  } catch (cause) {
    if (cause instanceof InvalidOptionError) throw cause;
    const problem = `${path} cannot be read: ${(cause as Error).message}.`;
    throw Object.assign(new InvalidOptionError('path', problem), { cause });
  } finally {
    await file?.close();
  }
}

function assertFits(way: string, size: number, most: number): void {
  if (size <= most) return;
  const problem = `has ${size} bytes, but a program may have ${most} (binary.maxBytes). Put a small one there that fetches the rest, or install it on the workers and run it by execute_command.`;
  throw new InvalidOptionError(way, problem);
}
