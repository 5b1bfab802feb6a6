import { TaskExecutor, type TaskContext } from 'nestjs-chronis';

interface Command {
  command: string;
}

/** Says what it would run, as the commands of the examples are on no other machine. */
@TaskExecutor('execute_command')
export class Announcer {
  readonly schema = {
    '~standard': {
      version: 1,
      vendor: 'sample',
      validate: (value: unknown) =>
        typeof (value as Partial<Command> | null)?.command === 'string'
          ? { value: value as Command }
          : { issues: [{ message: 'must be a text', path: ['command'] }] },
    },
  } as const;

  execute({ command }: Command, { job }: TaskContext): void {
    console.log(`  ${job.id} runs: ${command}`);
  }
}
