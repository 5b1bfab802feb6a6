import { InvalidOptionError } from '../model/errors.js';
import { assertOptions } from './transaction.options.js';

const longestName = 255;
/** Of what sleeps or waits: their own names would be found in place of these. */
const numberedName = /^(?:sleep|wait for ".*") \d+(?: after ".*" failed)?$/;
const unprintable = /[\p{Cc}\p{Surrogate}]/u;

/** Names of what sleeps or waits and has none: its number among those of its kind, as the handler comes to them. */
export class NumberedNames {
  private readonly counts = new Map<string, number>();
  /** A kind of which one is under way. */
  private readonly underWay = new Set<string>();
  /** An attempt in which this step has not failed comes to others. */
  private afterFailure = '';

  /** Throws InvalidOptionError where another one has a number at the same time: in the next attempt each might come to that of the other. */
  next(kind: string, call: string, example: string): string {
    if (this.underWay.has(kind)) {
      throw new InvalidOptionError(
        call,
        `another ${kind} goes on at the same time, and none of the two has a name by which the next attempt finds it again: ${example}.`,
      );
    }
    this.underWay.add(kind);
    const number = (this.counts.get(kind) ?? 0) + 1;
    this.counts.set(kind, number);
    return `${kind} ${number}${this.afterFailure}`;
  }

  ended(kind: string): void {
    this.underWay.delete(kind);
  }

  failed(step: string): void {
    this.counts.clear();
    this.afterFailure = ` after ${JSON.stringify(step)} failed`;
  }
}

/** What a sleep is called by its handler; null: nothing. */
export function nameOfSleep(options: { name?: string } = {}): string | null {
  assertOptions('context.sleep()', options, ['name']);
  return givenName(
    options.name,
    'name',
    "a sleep has text for a name, such as { name: 'before the reminder' }.",
  );
}

export function givenName(name: unknown, option: string, problem: string): string | null {
  if (name === undefined) return null;
  return isText(name) ? checkedText(name, option) : refuse(option, problem);
}

export function checkedName(name: unknown, work: unknown, call: string): string {
  if (!isText(name)) return refuse('name', `${call}() takes the name of the step first, such as 'charge'.`);
  checkedText(name, 'name');
  if (typeof work !== 'function')
    return refuse(
      'work',
      `the step ${JSON.stringify(name)} has no function to run: ${call}('${name}', () => …).`,
    );
  return name;
}

export function signalName(name: unknown): string {
  if (!isText(name))
    return refuse('name', "context.waitFor() takes the name of the signal first, such as 'approved'.");
  return assertLine(name, 'name', 'signal');
}

const isText = (name: unknown): name is string => typeof name === 'string' && name.trim() !== '';

function checkedText(name: string, option: string): string {
  assertLine(name, option, 'step');
  if (!numberedName.test(name)) return name;
  return refuse(
    option,
    `${JSON.stringify(name)} is the name of what sleeps or waits without one: give another.`,
  );
}

function assertLine(name: string, option: string, what: string): string {
  if (name.length <= longestName && !unprintable.test(name)) return name;
  return refuse(option, `the name of a ${what} is one line of at most ${longestName} characters.`);
}

function refuse(option: string, problem: string): never {
  throw new InvalidOptionError(option, problem);
}
