import { describe, expect, test } from 'vitest';
import { wordsOf } from '../../lib/executors/command.words.js';

describe('a command without a shell', () => {
  test.each<[string, string[]]>([
    ['/usr/bin/python /opt/report.py', ['/usr/bin/python', '/opt/report.py']],
    ["  /bin/x  a\t'b c'  ", ['/bin/x', 'a', 'b c']],
    ['/bin/x "a b" c\\ d', ['/bin/x', 'a b', 'c d']],
    ["/bin/x a'b'\"c\"d ''", ['/bin/x', 'abcd', '']],
    ["/bin/x '$HOME | * \\n'", ['/bin/x', '$HOME | * \\n']],
    ['/bin/x "\\$HOME \\"q\\" \\\\ \\n"', ['/bin/x', '$HOME "q" \\ \\n']],
    ['/bin/x a=b --c=~d e#f h!', ['/bin/x', 'a=b', '--c=~d', 'e#f', 'h!']],
    ["/bin/x 'a\nb'", ['/bin/x', 'a\nb']],
  ])('%s is split by quotes and backslashes', (command, words) => {
    expect(wordsOf(command)).toEqual({ words });
  });

  test.each([
    ['/bin/x | /bin/y', 'has "|", which only a shell understands'],
    ['/bin/x && /bin/y', 'has "&"'],
    ['/bin/x > /tmp/y', 'has ">"'],
    ['/bin/x $HOME', 'has "$"'],
    ['/bin/x "$HOME"', 'has "$"'],
    ['/bin/x "`id`"', 'has "`"'],
    ['/bin/rm /tmp/*', 'has "*"'],
    ['/bin/x ~/a', 'has "~"'],
    ['/bin/x # no', 'has "#"'],
    ['/bin/x {a,b}', 'has "{"'],
    ['/bin/x a\n/bin/y', 'has a line break'],
    ["/bin/x 'a", "has a ' that is not closed"],
    ['/bin/x "a', 'has a " that is not closed'],
    ['/bin/x \\', 'ends with a backslash'],
    ['   ', 'is empty'],
  ])('%s is refused', (command, problem) => {
    const words = wordsOf(command);
    expect('problem' in words && words.problem).toContain(problem);
  });
});
