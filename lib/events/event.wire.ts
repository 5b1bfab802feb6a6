import type { ChronisEventMap, ChronisEventName } from './event.map.js';
import { isEventName } from './event.names.js';
import { errorFields, type ErrorFields } from './shown.error.js';
import { isError } from './thrown.parts.js';

/** An event on its way to other instances. */
export interface SharedEvent {
  name: ChronisEventName;
  /** Epoch milliseconds. */
  at: number;
  event: ChronisEventMap[ChronisEventName];
}

/** What one instance tells the others at once. */
export interface EventMessage {
  /** Names the sender, so that it knows its own messages. */
  from: string;
  instance: string;
  events: SharedEvent[];
}

/** Longest texts of an event, tried in this order until it fits; ids are never longer than the last. */
const textLengths = [4_096, 1_024, 255];
const mostItems = 50;
const deepest = 4;

const bytesOf = (text: string): number => new TextEncoder().encode(text).length;

/** Messages of at most `maxBytes` for these events; long texts are cut, and what does not fit then is counted as `lost`. */
export function packEvents(
  { from, instance, serial }: { from: string; instance: string; serial: number },
  events: readonly SharedEvent[],
  maxBytes: number,
): { messages: string[]; lost: number } {
  const head = `${JSON.stringify({ from, instance, serial }).slice(0, -1)},"events":[`;
  const room = maxBytes - bytesOf(head) - 2;
  const messages: string[] = [];
  let items: string[] = [];
  let used = 0;
  let lost = 0;
  const flush = (): void => {
    if (items.length > 0) messages.push(`${head}${items.join(',')}]}`);
    items = [];
    used = 0;
  };
  for (const event of events) {
    const item = textOf(event, room);
    if (item === null) {
      lost++;
      continue;
    }
    const size = bytesOf(item) + 1;
    if (used + size > room) flush();
    items.push(item);
    used += size;
  }
  flush();
  return { messages, lost };
}

/** What a message says; null: it is none of ours. Events that only a later release knows are left out. */
export function unpackEvents(message: string): EventMessage | null {
  try {
    const { from, instance, events } = JSON.parse(message) as Record<string, unknown>;
    if (typeof from !== 'string' || typeof instance !== 'string' || !Array.isArray(events)) return null;
    const known = (events as [unknown, number, unknown][]).filter(([name]) => isEventName(name));
    return {
      from,
      instance,
      events: known.map(([name, at, event]) => ({ name, at, event: revived(event) }) as SharedEvent),
    };
  } catch {
    return null;
  }
}

function textOf({ name, at, event }: SharedEvent, room: number): string | null {
  for (const length of textLengths) {
    try {
      const text = JSON.stringify([name, at, portable(event, length, 0)]);
      if (bytesOf(text) < room) return text;
    } catch {
      return null; // Something in it cannot even be read.
    }
  }
  return null;
}

/** As JSON, with dates and errors marked. */
function portable(value: unknown, length: number, depth: number): unknown {
  if (typeof value === 'string') return cut(value, length);
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return value;
  if (typeof value !== 'object') return typeof value === 'bigint' ? value.toString() : undefined;
  if (value instanceof Date) return { $date: value.getTime() };
  if (isError(value)) return { $error: portableError(value, length, depth) };
  if (depth === deepest) return null;
  if (Array.isArray(value)) return value.slice(0, mostItems).map((item) => portable(item, length, depth + 1));
  const entries = Object.entries(value).slice(0, mostItems);
  return Object.fromEntries(entries.map(([key, item]) => [cut(key, 100), portable(item, length, depth + 1)]));
}

function portableError(error: Error, length: number, depth: number): object {
  const { stack, cause, errors, ...fields } = errorFields(error, length);
  const isShort = length === textLengths.at(-1);
  const inner = (value: unknown): unknown => portable(value, length, depth + 1);
  return {
    ...fields,
    ...(isShort ? {} : { stack: cut(stack!, length) }),
    ...(isShort || depth === deepest ? {} : { cause: inner(cause), errors: errors && inner(errors) }),
  };
}

function revived(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(revived);
  const fields = value as {
    $date?: number | null;
    $error?: ErrorFields;
  };
  if (fields.$date !== undefined) return new Date(fields.$date ?? Number.NaN);
  if (fields.$error !== undefined) {
    const parts = Object.entries(fields.$error).map(([key, item]) => [key, revived(item)]);
    return Object.assign(new Error(fields.$error.message), Object.fromEntries(parts));
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, revived(item)]));
}

function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}
