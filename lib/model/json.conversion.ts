/** Deeper nesting would overflow the stack of whoever reads it. */
export const maxDepth = 500;

/**
 * A copy in which objects with a `toJSON()` of their own are what it returns; with `all`, as where a schema checks the result, also Dates are text,
 * class instances are their own properties, and keys with undefined are left out. What JSON would lose (a Map, NaN, an invalid Date) stays as it is, so that it
 * is refused, and so does what refers back to itself.
 */
export function convertedToJson(value: unknown, all: boolean): unknown {
  return converted(value, all, new Map());
}

/** `above`: the objects around the value, with their copies. */
function converted(value: unknown, all: boolean, above: ReadonlyMap<object, unknown>): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (above.has(value)) return above.get(value);
  if (above.size > maxDepth) return value;
  if (value instanceof Date) return all && !Number.isNaN(value.getTime()) ? value.toISOString() : value;
  if (Array.isArray(value)) {
    const copy: unknown[] = [];
    const inside = new Map(above).set(value, copy);
    for (const item of value as unknown[]) copy.push(converted(item, all, inside));
    return copy;
  }
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === 'function')
    return converted(toJSON.call(value), true, new Map(above).set(value, value));
  if (!isData(value, all) || Object.getOwnPropertySymbols(value).length > 0) return value;
  const copy: Record<string, unknown> = {};
  const inside = new Map(above).set(value, copy);
  for (const [key, item] of Object.entries(value)) {
    if (item === undefined && all) continue;
    // Assigning to __proto__ would change the copy itself.
    const given = {
      value: converted(item, all, inside),
      enumerable: true,
      configurable: true,
      writable: true,
    };
    Object.defineProperty(copy, key, given);
  }
  return copy;
}

/** Whether an object is its properties: a Map, an Error or a Promise is more than those. */
function isData(object: object, all: boolean): boolean {
  const prototype: unknown = Object.getPrototypeOf(object);
  if (prototype === Object.prototype || prototype === null) return true;
  return all && Object.prototype.toString.call(object) === '[object Object]';
}
