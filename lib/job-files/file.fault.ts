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

/** A text, and where in it something is. */
export class SourceText {
  /** Where its lines begin; null: nobody has asked yet. */
  private begins: number[] | null = null;

  constructor(readonly text: string) {}

  placeAt(offset: number): FilePlace {
    const begins = (this.begins ??= beginsOfLines(this.text));
    let [line, after] = [0, begins.length];
    while (after - line > 1) {
      const middle = Math.floor((line + after) / 2);
      if (begins[middle]! <= offset) line = middle;
      else after = middle;
    }
    return { line: line + 1, column: offset - begins[line]! + 1 };
  }
}

function beginsOfLines(text: string): number[] {
  const begins = [0];
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', end + 1)) begins.push(end + 1);
  return begins;
}

/** Names a place in a file: `daily.json:3:5`. */
export function placeName(file: string, { line, column }: FilePlace): string {
  return [file, line, column].filter((part) => part !== null).join(':');
}
