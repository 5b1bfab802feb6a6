// As far as it is used here, so that nothing needs the package before a file is read.

/** Where something begins and ends in the text. */
export type TextRange = readonly [begin: number, ...ends: number[]];

export interface YamlNode {
  range?: TextRange | null;
  /** Of what is neither a map nor a list. */
  value?: unknown;
}

export interface YamlMap extends YamlNode {
  items: readonly YamlPair[];
}

export interface YamlList extends YamlNode {
  items: readonly YamlNode[];
}

export interface YamlPair {
  key: YamlNode;
  value: YamlNode | null;
}

export interface YamlProblem {
  code: string;
  message: string;
  pos: TextRange;
}

export interface YamlDocument {
  contents: YamlNode | null;
  errors: YamlProblem[];
  warnings: YamlProblem[];
  toJS(options: { maxAliasCount: number }): unknown;
}

export interface YamlParser {
  /** What the next lexeme is inside of. */
  readonly stack: readonly unknown[];
  readonly offset: number;
  next(lexeme: string): Iterable<unknown>;
  end(): Iterable<unknown>;
}

export interface YamlLibrary {
  Lexer: new () => { lex(text: string): Iterable<string> };
  Parser: new () => YamlParser;
  Composer: new (options: { prettyErrors: boolean; uniqueKeys: boolean; logLevel: 'silent' }) => {
    compose(tokens: Iterable<unknown>): Iterable<YamlDocument>;
  };
  isMap(node: unknown): node is YamlMap;
  isSeq(node: unknown): node is YamlList;
}

let loaded: YamlLibrary | null = null;

export function yaml(): YamlLibrary {
  return (loaded ??= require('yaml') as YamlLibrary);
}
