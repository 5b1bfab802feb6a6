import { textValue } from './text.values.js';

/** A type by which a list is cast in a statement: its OID, and how a value of it is written. */
interface Type {
  oid: number;
  bytes(value: unknown): number;
  write(value: unknown, to: Buffer, at: number): unknown;
}

const integer: Type = {
  oid: 23,
  bytes: () => 4,
  write: (value, to, at) => to.writeInt32BE(Number(value), at),
};
const text: Omit<Type, 'oid'> = {
  bytes: (value) => Buffer.byteLength(textValue(value)!),
  write: (value, to, at) => to.write(textValue(value)!, at),
};
const types: Readonly<Record<string, Type>> = {
  boolean: { oid: 16, bytes: () => 1, write: (value, to, at) => to.writeUInt8(value === true ? 1 : 0, at) },
  bigint: {
    oid: 20,
    bytes: () => 8,
    write: (value, to, at) => to.writeBigInt64BE(BigInt(value as string | number), at),
  },
  int: integer,
  integer,
  text: { oid: 25, ...text },
  json: { oid: 114, ...text },
  float8: { oid: 701, bytes: () => 8, write: (value, to, at) => to.writeDoubleBE(Number(value), at) },
};

const dimensions = 1;
const hasNulls = 1;
const lowerBound = 1;
/** In place of the length of a value. */
const ofNull = -1;

/** By texts, of which there is a fixed number, but for queries, which differ by their filters: the parameters that are lists, with their types. */
const known = new Map<string, ReadonlyMap<number, Type>>();
const mostKnown = 500;

/**
 * Lists that hold null in binary, as they are sent in text elsewhere. In text null is the word NULL, which the server takes for a text where `array_nulls` is off: a job without an app was one of the
 * app "NULL". A session of a pooler may have any setting of its role.
 */
export function withHoles(text: string, values: readonly unknown[]): readonly unknown[] {
  if (!values.some(isHoled)) return values;
  const lists = listsOf(text);
  return values.map((value, nth) => {
    const type = isHoled(value) ? lists.get(nth + 1) : undefined;
    return type === undefined ? value : inBinary(type, value as readonly unknown[]);
  });
}

const isHole = (value: unknown): boolean => value === null || value === undefined;
const isHoled = (value: unknown): boolean => Array.isArray(value) && value.some(isHole);

function listsOf(text: string): ReadonlyMap<number, Type> {
  const found = known.get(text);
  if (found !== undefined) return found;
  const lists = new Map<number, Type>();
  for (const [, place, name] of text.matchAll(/\$(\d+)::(\w+)\[\]/g)) {
    const type = types[name!];
    if (type !== undefined) lists.set(Number(place), type);
  }
  if (known.size < mostKnown) known.set(text, lists);
  return lists;
}

function inBinary(type: Type, list: readonly unknown[]): Buffer {
  const lengths = list.map((value) => (isHole(value) ? ofNull : type.bytes(value)));
  const head = [dimensions, hasNulls, type.oid, list.length, lowerBound];
  const buffer = Buffer.allocUnsafe(
    4 * (head.length + list.length) + lengths.reduce((sum, length) => sum + Math.max(length, 0), 0),
  );
  let at = 0;
  for (const value of head) at = buffer.writeInt32BE(value, at);
  for (const [nth, length] of lengths.entries()) {
    at = buffer.writeInt32BE(length, at);
    if (length === ofNull) continue;
    type.write(list[nth], buffer, at);
    at += length;
  }
  return buffer;
}
