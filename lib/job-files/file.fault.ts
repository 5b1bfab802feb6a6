/** Where in a file, from 1 on; null: the file as a whole. @publicApi */
export interface FilePlace {
  line: number | null;
  column: number | null;
}

/** What is wrong with a file. */
export class FileFault extends Error {
  constructor(
    message: string,
    readonly place: FilePlace = nowhere,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export const nowhere: FilePlace = { line: null, column: null };

/** Of an offset in a text. */
export function placeAt(text: string, offset: number): FilePlace {
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  return { line, column: offset - before.lastIndexOf('\n') };
}

/** Names a place in a file: `daily.json:3:5`. */
export function placeName(file: string, { line, column }: FilePlace): string {
  return [file, line, column].filter((part) => part !== null).join(':');
}
