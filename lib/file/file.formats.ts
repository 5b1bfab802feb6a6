import { extname } from 'node:path';
import { InvalidOptionError } from '../model/errors.js';
import type { FileDocument } from './file.document.js';
import { fromXml, toXml, type XmlElement } from './file.xml.js';

/** How a document is written as text. `read` throws Error for what cannot be read. */
export interface FileFormat {
  read(text: string): unknown;
  write(document: FileDocument): string;
}

const json: FileFormat = {
  read: (text) => JSON.parse(text) as unknown,
  write: (document) => `${JSON.stringify(document, null, 2)}\n`,
};

interface YamlPackage {
  readonly parse: (text: string, options: object) => unknown;
  readonly stringify: (value: unknown, options: object) => string;
}

function yaml(): FileFormat {
  const { parse, stringify } = required<YamlPackage>('yaml', '.yaml', '2');
  return {
    // No aliases are written, so none are read.
    read: (text) => parse(text, { maxAliasCount: 0 }),
    write: (document) => stringify(document, { aliasDuplicateObjects: false, lineWidth: 0 }),
  };
}

interface XmlPackage {
  XMLParser: new (options: object) => { parse(text: string, validate: boolean): XmlElement[] };
}

function xml(): FileFormat {
  const { XMLParser } = required<XmlPackage>('fast-xml-parser', '.xml', '5');
  const parser = new XMLParser({
    preserveOrder: true,
    ignoreAttributes: false,
    attributeNamePrefix: '',
    parseTagValue: false,
    parseAttributeValue: false,
    trimValues: false,
    // Those of XML itself are read by us, and there are no others.
    processEntities: false,
  });
  return {
    read(text) {
      if (/<!(?:DOCTYPE|ENTITY)/i.test(text)) throw new RangeError('has a document type, which is not read');
      return fromXml(parser.parse(text, true));
    },
    write: toXml,
  };
}

const formats: Record<string, () => FileFormat> = {
  '.json': () => json,
  '.yaml': yaml,
  '.yml': yaml,
  '.xml': xml,
};

/** By the extension. Throws InvalidOptionError. */
export function formatOf(path: string): FileFormat {
  const found = formats[extname(path).toLowerCase()];
  if (found) return found();
  throw new InvalidOptionError(
    'path',
    `has to end in ${Object.keys(formats).join(', ')}, but is ${JSON.stringify(path)}.`,
  );
}

function required<T>(name: string, extension: string, version: string): T {
  try {
    return require(name) as T;
  } catch (cause) {
    const problem = `ends in ${extension}, for which the package ${name} is needed: npm install ${name}@${version}. Or let it end in .json.`;
    throw Object.assign(new InvalidOptionError('path', problem), { cause });
  }
}
