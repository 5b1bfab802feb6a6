import type { OnModuleDestroy, OnModuleInit } from '@nestjs/common';
import {
  CommandRefusedError,
  TaskExecutor,
  type ChronisEvents,
  type StandardSchema,
  type TaskContext,
} from '../index.js';
import type { CommandSettings } from './command.options.js';
import type { CommandResult } from './command.result.js';
import { commandSchema, type CheckedCommand, type CommandTask } from './command.task.js';
import { ProgramRunner } from './program.runner.js';

const shell = '/bin/sh';

/** Runs programs of this machine, without a shell, each as a process group of its own. @publicApi */
@TaskExecutor('execute_command', { aliases: ['cmd'], packaged: true })
export class CommandExecutor implements TaskExecutor<CheckedCommand>, OnModuleInit, OnModuleDestroy {
  readonly schema: StandardSchema<CommandTask, CheckedCommand>;
  private readonly runner: ProgramRunner;

  constructor(
    private readonly settings: CommandSettings,
    events?: ChronisEvents,
  ) {
    this.schema = commandSchema(settings);
    this.runner = new ProgramRunner(settings, events);
  }

  onModuleInit(): void {
    this.runner.start();
  }

  onModuleDestroy(): void {
    this.runner.stop();
  }

  /** Throws CommandFailedError, CommandRefusedError, and the reason of the signal. */
  async execute(task: CheckedCommand, context: TaskContext): Promise<CommandResult> {
    const { program } = task;
    if (program === null)
      return this.runner.run({ ...task, file: shell, name: shell, args: ['-c', ...task.args] }, context);
    return this.runner.run({ ...task, file: await this.found(program), name: program }, context);
  }

  private async found(program: string): Promise<string> {
    const found = await this.settings.allow.find(program);
    if ('path' in found) return found.path;
    throw new CommandRefusedError(program, found.refused);
  }
}
