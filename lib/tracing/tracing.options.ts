import { InvalidOptionError, knownOptions } from '../index.js';

/** Options of ChronisTracingModule. @publicApi */
export interface ChronisTracingOptions {
  /**
   * How an attempt belongs to the traces that led to it: `link`: it begins a trace of its own, with links to them · `parent`: it goes on in the trace in which it was asked for, with links to the others; where there is none it begins
   * one · `none`: it begins a trace of its own, without links. @default 'link'
   */
  relationship?: 'link' | 'parent' | 'none';
  /** Due instants that did not run: `span`: each range of them is a span without a length, in a trace of its own. @default 'off' */
  notRun?: 'off' | 'span';
  /** Whether the messages of errors are told, as the redactor leaves them, up to 1,000 characters. They may hold data. @default false */
  messages?: boolean;
}

/** Where the module belongs to. @publicApi */
export interface ChronisTracingPlace {
  /** The ChronisModule that is traced, by its name. @default the one without a name */
  instance?: string;
}

/** The options, checked. */
export type TracingSettings = Required<ChronisTracingOptions>;

export const tracingKeys = ['relationship', 'notRun', 'messages'] as const;

/** Throws InvalidOptionError. */
export function tracingSettings(given: ChronisTracingOptions, owner: string): TracingSettings {
  knownOptions(given, tracingKeys, owner);
  const { relationship = 'link', notRun = 'off', messages = false } = given;
  assertOneOf('relationship', relationship, ['link', 'parent', 'none']);
  assertOneOf('notRun', notRun, ['off', 'span']);
  if (typeof messages !== 'boolean') throw new InvalidOptionError('messages', 'must be true or false.');
  return { relationship, notRun, messages };
}

function assertOneOf(option: string, value: string, all: readonly string[]): void {
  if (all.includes(value)) return;
  const words = all.map((each) => `'${each}'`).join(', ');
  throw new InvalidOptionError(option, `must be one of ${words}, but is ${JSON.stringify(value)}.`);
}
