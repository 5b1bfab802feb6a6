import { command, type CliCommand } from '../cli.command.js';
import { UsageError } from '../cli.errors.js';
import { completionScript, shells, type Shell } from '../completion.scripts.js';

const completion = command({
  name: 'completion',
  summary: `a script that completes commands and options: ${shells.join(', ')}`,
  arguments: { '<shell>': shells.join(', ') },
  argumentWords: shells,
  options: {},
  examples: [
    'eval "$(chronis completion bash)"',
    'chronis completion fish > ~/.config/fish/completions/chronis.fish',
  ],
  run: async ({ args: [shell], out }) => {
    if (!(shells as readonly string[]).includes(shell!))
      throw new UsageError(`There is no completion for "${shell}". There are: ${shells.join(', ')}.`);
    // Here, as the list has this command.
    const { commands } = await import('../command.list.js');
    out.raw(completionScript(shell as Shell, commands));
  },
});

export const completionCommands: CliCommand[] = [completion];
