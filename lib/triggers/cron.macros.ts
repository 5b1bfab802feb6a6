import { nearestName } from '../model/nearest.name.js';
import { refuse, shown } from './refuse.js';

const macros: ReadonlyMap<string, string> = new Map([
  ['@yearly', '0 0 1 1 *'],
  ['@annually', '0 0 1 1 *'],
  ['@monthly', '0 0 1 * *'],
  ['@weekly', '0 0 * * 0'],
  ['@daily', '0 0 * * *'],
  ['@midnight', '0 0 * * *'],
  ['@hourly', '0 * * * *'],
]);

/** The expression that a macro stands for; other expressions come back as they are. */
export function withoutMacro(expression: string): string {
  if (!expression.startsWith('@')) return expression;
  const [name, ...rest] = expression.split(/[ \t]+/);
  const meant = macros.get(name!.toLowerCase());
  if (meant !== undefined && rest.length === 0) return meant;
  const position = 0;
  if (meant !== undefined) {
    refuse(expression, 'field-count', `Cron "${shown(expression)}": "${name}" stands alone.`, {
      position: expression.indexOf(rest[0]!),
      hint: 'Remove what follows it.',
    });
  }
  if (name!.toLowerCase() === '@reboot') {
    refuse(expression, 'bad-special', 'Cron "@reboot": no instant belongs to it.', {
      position,
      hint: 'Call the handler in onApplicationBootstrap() instead.',
    });
  }
  const near = nearestName(name!, [...macros.keys(), '@every']);
  return refuse(expression, 'bad-name', `Cron "${shown(expression)}": there is no macro "${shown(name)}".`, {
    position,
    hint: near ? `Did you mean "${near}"?` : `Macros are ${[...macros.keys()].join(', ')} and "@every 5m".`,
  });
}

/** The duration text of `@every 5m`; null for every other expression. */
export function everyOf(expression: string): { text: string; position: number } | null {
  const found = /^([ \t]*@every)(?:([ \t]+)(.*?))?[ \t]*$/is.exec(expression);
  if (!found) return null;
  return { text: found[3] ?? '', position: found[1]!.length + (found[2]?.length ?? 0) };
}
