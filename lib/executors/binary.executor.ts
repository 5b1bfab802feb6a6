import type { OnModuleDestroy, OnModuleInit } from '@nestjs/common';
import { createHash } from 'node:crypto';
import {
  BinaryRefusedError,
  TaskExecutor,
  type ChronisEvents,
  type StandardSchema,
  type StorageAdapter,
  type TaskContext,
} from '../index.js';
import type { BinarySettings } from './binary.options.js';
import { binarySchema, type BinaryTask, type CheckedBinary } from './binary.task.js';
import type { CommandResult } from './command.result.js';
import { assertExecutable } from './executable.js';
import { PrivateFolders } from './private.folders.js';
import { ProgramRunner } from './program.runner.js';

/** Runs programs that jobs bring along, each in a folder of its own that is removed with the end of the run, and otherwise as commands. @publicApi */
@TaskExecutor('binary', { packaged: true })
export class BinaryExecutor implements TaskExecutor<CheckedBinary>, OnModuleInit, OnModuleDestroy {
  readonly schema: StandardSchema<BinaryTask, CheckedBinary>;
  private readonly runner: ProgramRunner;
  private readonly folders: PrivateFolders;

  constructor(
    settings: BinarySettings,
    private readonly storage: StorageAdapter,
    events?: ChronisEvents,
  ) {
    const isThere = async (sha256: string): Promise<boolean> =>
      ((await storage.binaries?.useBinary(sha256)) ?? null) !== null;
    this.schema = binarySchema(settings, isThere);
    this.folders = new PrivateFolders(settings.folder);
    this.runner = new ProgramRunner(settings, events, () => this.folders.sweep());
  }

  onModuleInit(): void {
    this.runner.start();
  }

  onModuleDestroy(): void {
    this.runner.stop();
  }

  /** Throws CommandFailedError, BinaryRefusedError, and the reason of the signal. */
  async execute(task: CheckedBinary, context: TaskContext): Promise<CommandResult> {
    const { sha256, name } = task;
    const bytes = await this.bytesOf(sha256);
    assertExecutable(bytes, name);
    context.signal.throwIfAborted();
    return this.folders.with({ name, bytes, owner: this.runner.userOf(task) }, (file) =>
      this.runner.run({ ...task, file, name }, context),
    );
  }

  /** Whatever became of them in the storage, no others are run than those that the job names. */
  private async bytesOf(sha256: string): Promise<Uint8Array> {
    const bytes = (await this.storage.binaries?.readBinary(sha256)) ?? null;
    if (bytes === null) {
      throw new BinaryRefusedError(
        sha256,
        `The program with the SHA-256 ${sha256} is not stored any more. Store it again, and retry the run.`,
      );
    }
    const found = createHash('sha256').update(bytes).digest('hex');
    if (found === sha256) return bytes;
    throw new BinaryRefusedError(
      sha256,
      `The program was not run: it has the SHA-256 ${found}, where the job names ${sha256}. What is stored was changed; remove it there, store the program again, and retry the run.`,
    );
  }
}
