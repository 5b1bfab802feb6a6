import type { TaskInput } from 'nestjs-chronis';

/** As they may come from a database, an administration page or a file. */
export const jobs: readonly { id: string; task: TaskInput; timeout?: string }[] = [
  { id: 'greet', task: { type: 'sms', to: '+351 210 000 000' } },
  {
    id: 'count',
    task: { type: 'execute_command', file: '/usr/bin/wc', args: ['-w'], stdin: 'one two three\n' },
  },
  { id: 'quoted', task: { type: 'execute_command', command: "/bin/echo 'two  words' \\$HOME" } },
  { id: 'piped', task: { type: 'cmd', command: 'echo Parent && echo Done | tr D d', shell: true } },
  { id: 'failing', task: { type: 'cmd', command: 'echo no disk >&2; exit 3', shell: true } },
  // Both of its processes are gone with it.
  { id: 'endless', task: { type: 'cmd', command: 'sleep 1000 & sleep 1000', shell: true }, timeout: '500ms' },
];
