import { randomUUID } from 'node:crypto';

/** A value with the text that it is stored as: the text goes out, as numbers of it may be more than JavaScript can hold. */
export class StoredJson {
  constructor(
    readonly value: unknown,
    readonly text: string,
  ) {}
}

/** The same value where the text of it is not known. */
export function asStored(value: unknown, text: string | null | undefined): unknown {
  return text === null || text === undefined ? value : new StoredJson(value, text);
}

/** JSON in which the texts stand as they are. */
export function jsonOf(body: unknown): string {
  const texts: string[] = [];
  // Nobody who stores a text can know it.
  const mark = randomUUID();
  const json = JSON.stringify(body, (_, value: unknown) =>
    value instanceof StoredJson ? `${mark}:${texts.push(value.text) - 1}` : value,
  );
  if (texts.length === 0) return json;
  return json.replaceAll(new RegExp(`"${mark}:(\\d+)"`, 'g'), (_, nth: string) => texts[Number(nth)]!);
}
