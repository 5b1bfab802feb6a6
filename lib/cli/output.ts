import type { ToldError } from './cli.errors.js';
import type { CliIo } from './cli.io.js';
import type { Scrubber } from './secrets.js';
import { tabTable, textTable, type Column } from './text.table.js';
import { shownText, textWidth } from './text.width.js';

export type Colour = 'red' | 'green' | 'yellow' | 'dim' | 'bold';

const codes: Readonly<Record<Colour, readonly [number, number]>> = {
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  dim: [2, 22],
  bold: [1, 22],
};
/** Where the terminal does not say it. */
const usualWidth = 80;

export interface OutputSettings {
  json: boolean;
  colours: boolean;
  scrub: Scrubber;
}

/** A result as people read it. */
export interface Paper {
  line(text?: string): void;
  table<Row>(columns: readonly Column<Row>[], rows: readonly Row[], empty: string): void;
  /** Names and values, one a line; those that are null are left out. */
  fields(pairs: Readonly<Record<string, string | null>>): void;
}

/** Writes results to stdout, and all else to stderr. */
export class Output implements Paper {
  /** Whether a result was written. */
  isPrinted = false;
  private isUnread = false;

  constructor(
    private readonly io: Pick<CliIo, 'stdout' | 'stderr'>,
    readonly settings: OutputSettings,
  ) {}

  get isJson(): boolean {
    return this.settings.json;
  }

  get isTerminal(): boolean {
    return this.io.stdout.isTerminal;
  }

  /** The result of a command: a document for machines, whose shape is stable, or what people read. */
  print(document: object, show: (paper: Paper) => void): void {
    this.isPrinted = true;
    if (this.isJson) return this.write(this.settings.scrub.json(document, this.isTerminal ? 2 : 0));
    show(this);
  }

  /** Why there is no result: a sentence, and for machines the document as well. */
  error(told: ToldError): void {
    if (this.isJson && !this.isPrinted) this.failure(told);
    this.note(`chronis: ${told.message}`);
  }

  /** For machines: why there is no result. */
  failure({ code, message }: ToldError): void {
    this.print({ error: { code, message: this.settings.scrub.told(message) } }, () => undefined);
  }

  /** What was done of several things: a line of the result, and on stderr where that is a document. */
  progress(sentence: string): void {
    if (this.isJson) this.note(sentence);
    else this.line(sentence);
  }

  /** Text that is the result as it is, such as a script. */
  raw(textOfResult: string): void {
    this.isPrinted = true;
    this.write(this.settings.scrub.result(textOfResult.replace(/\n$/, '')));
  }

  /** Whatever is no result, on stderr. */
  note(sentence: string): void {
    this.io.stderr.write(`${this.settings.scrub.told(sentence)}\n`);
  }

  line(textOfLine = ''): void {
    this.write(this.settings.scrub.line(textOfLine));
  }

  /** Data within a line. */
  json(data: unknown): string {
    return this.settings.scrub.json(data);
  }

  /** A line of what goes on whether it is read or not: where nobody reads it any more, that is told once. */
  lineGoingOn(textOfLine: string): void {
    // What writes it has hidden what is secret: a text of JSON would not stay one.
    this.write(this.settings.scrub.result(textOfLine));
    if (this.isUnread || this.io.stdout.isGone !== true) return;
    this.isUnread = true;
    this.note(
      'chronis: nobody reads stdout any more. The service goes on, and the lines of its runs are lost.',
    );
  }

  table<Row>(columns: readonly Column<Row>[], rows: readonly Row[], empty: string): void {
    const { stdout } = this.io;
    if (!stdout.isTerminal) {
      for (const row of tabTable(columns, rows)) this.line(row);
      return;
    }
    if (rows.length === 0) return this.note(empty);
    const width = stdout.columns || usualWidth;
    const { lines, leftOut } = textTable(columns, rows, width);
    const [titles, ...others] = lines;
    this.line(this.paint(titles!, 'bold'));
    for (const row of others) this.line(row);
    if (leftOut.length > 0)
      this.note(`Left out, as the terminal is ${width} wide: ${leftOut.join(', ')}. --json has all.`);
  }

  fields(pairs: Readonly<Record<string, string | null>>): void {
    const given = Object.entries(pairs).filter((pair): pair is [string, string] => pair[1] !== null);
    const width = Math.max(...given.map(([name]) => textWidth(name)));
    for (const [name, value] of given) {
      const title = this.isTerminal ? `${this.paint(name.padEnd(width), 'dim')}  ` : `${name}\t`;
      this.line(title + shownText(value));
    }
  }

  /** The text in this colour, where there are colours. */
  paint(textToShow: string, colour: Colour | null): string {
    if (!this.settings.colours || colour === null) return textToShow;
    const [begin, end] = codes[colour];
    return `\u001b[${begin}m${textToShow}\u001b[${end}m`;
  }

  private write(clean: string): void {
    this.io.stdout.write(`${clean}\n`);
  }
}
