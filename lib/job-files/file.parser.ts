import { FileFault, nowhere, SourceText, type FilePlace } from './file.fault.js';
import { documentsIn } from './nesting.js';
import { yaml, type YamlDocument, type YamlNode, type YamlProblem } from './yaml.library.js';

/** A job as a file has it; nothing of it is checked. */
export interface FileEntry {
  value: Readonly<Record<string, unknown>>;
  place: FilePlace;
  /** Of an option; of the job if it has none of this name. */
  placeOf(option: string): FilePlace;
}

/** A few anchors are fine; more is a bomb. */
const maxAliases = 100;
const jsonPosition = /position (\d+)/;
/** What is said of JSON that is not whole. */
const unfinished = /end of JSON|Unterminated|missing|No number after/;

/** The jobs of a file: one, a list of them, or an object with the list as `jobs`; of YAML in several documents as well. Throws FileFault. */
export function parseFile(name: string, text: string): FileEntry[] {
  if (/\.json$/i.test(name)) assertJson(text);
  const documents = documentsIn(text);
  const source = new SourceText(text);
  const entries = documents.flatMap((document) => entriesOf(document, source, /\.json$/i.test(name)));
  if (documents.every(({ contents }) => contents === null || isEmpty(contents)))
    throw new FileFault(
      /^\s*null\s*$/.test(text)
        ? 'The file has no job in it: it is null.'
        : 'The file has no job in it: it has comments only.',
    );
  return entries;
}

/** YAML takes more than JSON, which nobody expects of a file that is called so. */
function assertJson(text: string): void {
  try {
    JSON.parse(text);
  } catch (cause) {
    const { message } = cause as Error;
    const offset = jsonPosition.exec(message)?.[1];
    const at = offset === undefined ? firstWrong(text) : Number(offset);
    throw new FileFault(
      `No JSON: ${plain(message)}.`,
      new SourceText(text).placeAt(Math.min(at, text.length)),
      { cause },
    );
  }
}

/** Where JSON ends that could have gone on: the message of an unexpected token does not say it. */
function firstWrong(text: string): number {
  let [fine, wrong] = [0, text.length + 1];
  while (wrong - fine > 1) {
    const middle = Math.floor((fine + wrong) / 2);
    if (couldGoOn(text.slice(0, middle))) fine = middle;
    else wrong = middle;
  }
  return fine;
}

function couldGoOn(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch (error) {
    const { message } = error as Error;
    // Something else was expected just where the text ends.
    return unfinished.test(message) || Number(jsonPosition.exec(message)?.[1] ?? -1) >= text.length;
  }
}

/** Without where it is, and without the text around that. */
function plain(message: string): string {
  return message
    .replace(/,? ?(?:\.\.\.)?"[^]*is not valid JSON$/, '')
    .replace(/ in JSON at position.*$/s, '')
    .replace(/ \(line \d+ column \d+\)$/, '');
}

function entriesOf(document: YamlDocument, source: SourceText, isJson: boolean): FileEntry[] {
  const problems = [...document.errors, ...document.warnings];
  // Valid JSON is not refused for what is no error of its own.
  const problem = isJson ? problems.find(({ code }) => code === 'DUPLICATE_KEY') : problems[0];
  if (problem !== undefined)
    throw new FileFault(wordsOf(problem, source.text), source.placeAt(problem.pos[0]));
  const { contents } = document;
  if (contents === null || isEmpty(contents)) return [];
  const value = valueOf(document);
  if (yaml().isSeq(contents)) return listed(contents.items, value as unknown[], source);
  const jobs = yaml().isMap(contents) ? contents.items.find(({ key }) => key.value === 'jobs') : undefined;
  if (jobs === undefined) return [entry(contents, value, source)];
  return listed(...listIn(contents, jobs.value, value as Record<string, unknown>, source), source);
}

function listIn(
  contents: YamlNode,
  list: YamlNode | null,
  value: Record<string, unknown>,
  source: SourceText,
): [readonly YamlNode[], unknown[]] {
  const other = Object.keys(value).find((key) => key !== 'jobs' && key !== '$schema');
  if (other !== undefined)
    throw new FileFault(
      `"${other}" stands beside "jobs". A file has one job, or a list of them as "jobs" with nothing beside it.`,
      placeIn(contents, other, source),
    );
  if (!yaml().isSeq(list))
    throw new FileFault('"jobs" must be a list of jobs.', placeIn(contents, 'jobs', source));
  return [list.items, value.jobs as unknown[]];
}

function listed(nodes: readonly YamlNode[], values: readonly unknown[], source: SourceText): FileEntry[] {
  return nodes.map((node, nth) => entry(node, values[nth], source));
}

function entry(node: YamlNode, value: unknown, source: SourceText): FileEntry {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new FileFault(
      'A job must be an object, with "id", a schedule, and a handler or a task.',
      placeOfNode(node, source),
    );
  return {
    value: value as Readonly<Record<string, unknown>>,
    get place() {
      return placeOfNode(node, source);
    },
    placeOf: (option) => placeIn(node, option, source),
  };
}

function valueOf(document: YamlDocument): unknown {
  try {
    return document.toJS({ maxAliasCount: maxAliases });
  } catch (cause) {
    const { message } = cause as Error;
    throw new FileFault(`The aliases of the file cannot be followed: ${message}.`, nowhere, { cause });
  }
}

function isEmpty(node: YamlNode): boolean {
  return !('items' in node) && (node.value ?? null) === null;
}

function placeIn(node: YamlNode, option: string, source: SourceText): FilePlace {
  const pair = yaml().isMap(node) ? node.items.find(({ key }) => key.value === option) : undefined;
  return pair === undefined ? placeOfNode(node, source) : placeOfNode(pair.key, source);
}

function placeOfNode({ range }: YamlNode, source: SourceText): FilePlace {
  return range ? source.placeAt(range[0]) : nowhere;
}

function wordsOf({ code, message, pos }: YamlProblem, text: string): string {
  if (code === 'DUPLICATE_KEY') return 'The same option stands there twice. Take one of them out.';
  const line = text.slice(text.lastIndexOf('\n', pos[0] - 1) + 1).split('\n')[0]!;
  const isCron = /:\s*\*/.test(line);
  const hint = isCron ? ' A text that begins with * needs quotes: "*/5 * * * *".' : '';
  return `No YAML: ${message.replace(/\.$/, '')}.${hint}`;
}
