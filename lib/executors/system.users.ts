import { readFileSync } from 'node:fs';
import { InvalidOptionError } from '../index.js';
import { shown } from './option.checks.js';

/** Whom a program runs as. */
export interface SystemUser {
  name: string;
  uid: number;
  gid: number;
  home: string;
}

/** A user of this machine, as /etc/passwd has it. Throws InvalidOptionError. */
export function systemUser(name: unknown, option: string, passwd = '/etc/passwd'): SystemUser {
  const found = readFileSync(passwd, 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .find(([each]) => each === name);
  if (found === undefined) {
    throw new InvalidOptionError(option, `${shown(name)} is no user in ${passwd} of this machine.`);
  }
  return { name: found[0]!, uid: Number(found[2]), gid: Number(found[3]), home: found[5]! };
}

/** Throws InvalidOptionError where this process cannot run anything as somebody else. */
export function assertMayBe({ name, uid }: SystemUser, option: string): void {
  const own = process.getuid!();
  if (own === 0 || own === uid) return;
  throw new InvalidOptionError(
    option,
    `is "${name}", but this process runs as the user ${own}, and only root can run programs as somebody else. Leave it out, or run the process as "${name}".`,
  );
}
