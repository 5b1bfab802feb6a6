import { FileFault, SourceText } from './file.fault.js';
import { yaml, type YamlDocument, type YamlParser } from './yaml.library.js';

/** Payloads may be as deep, and a file has a list of jobs around them. What is much deeper overflows the stack of whoever reads it, which ends the process. */
const mostLevels = 510;

/** The documents of a text in YAML or JSON. Throws FileFault for one that is nested too deep, before anything reads all of it. */
export function documentsIn(text: string): YamlDocument[] {
  const { Composer } = yaml();
  const composer = new Composer({ prettyErrors: false, uniqueKeys: true, logLevel: 'silent' });
  return [...composer.compose(tokensIn(text))];
}

const tooDeep = `The file is nested more than ${mostLevels} levels deep.`;

/** As `Parser.parse` has them. It keeps what it is inside of on a list, and calls nothing within itself. */
function* tokensIn(text: string): Generator<unknown> {
  const { Lexer, Parser } = yaml();
  const parser: YamlParser = new Parser();
  for (const lexeme of new Lexer().lex(text)) {
    yield* parser.next(lexeme);
    // The document is there as well, and a scalar on top.
    if (parser.stack.length > mostLevels + 2)
      throw new FileFault(tooDeep, new SourceText(text).placeAt(parser.offset));
  }
  yield* parser.end();
}
