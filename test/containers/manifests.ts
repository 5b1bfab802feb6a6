import { readFileSync } from 'node:fs';
import { parse, parseAllDocuments } from 'yaml';

const read = (name: string): string =>
  readFileSync(new URL(`../../docs/deploy/${name}`, import.meta.url), 'utf8');

/** A stage of the image: its instructions, in order. */
export interface Stage {
  name: string | null;
  instructions: { name: string; text: string }[];
}

/** The stages of the Dockerfile. Throws Error where it is none. */
export function stages(): Stage[] {
  const lines = read('Dockerfile')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'));
  const found: Stage[] = [];
  for (const line of lines) {
    const [, name, text] = /^([A-Z]+) (.+)$/.exec(line) ?? [];
    if (name === undefined || text === undefined) throw new Error(`No instruction: ${line}`);
    if (name === 'FROM') found.push({ name: / AS (\S+)$/.exec(text)?.[1] ?? null, instructions: [] });
    else found.at(-1)!.instructions.push({ name, text });
  }
  return found;
}

/** The texts of all instructions of this name. */
export function said(stage: Stage, name: string): string[] {
  return stage.instructions.filter((each) => each.name === name).map(({ text }) => text);
}

export function compose(): any {
  return parse(read('compose.yaml'), { strict: true, uniqueKeys: true });
}

export function kubernetes(): any[] {
  return parseAllDocuments(read('kubernetes.yaml'), { strict: true, uniqueKeys: true }).map((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw error;
    return document.toJS();
  });
}
