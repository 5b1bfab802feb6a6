import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StorageError } from '../../lib/index.js';
import { SharedDocument } from '../../sample/08-own-adapter/shared.document.js';

let parent: string;
let folder: string;

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'chronis-document-'));
  folder = join(parent, 'a', 'document');
});
afterEach(() => rmSync(parent, { recursive: true }));

async function textOf(document: SharedDocument): Promise<string> {
  let text = '';
  await document.change(async (present) => (text = present));
  return text;
}

/** As a process leaves it that dies while it has the document. */
function takeAs(pid: number, host = hostname()): void {
  const taken = `taken.${pid}.${randomUUID()}.${randomUUID()}.${host}`;
  renameSync(join(folder, 'document'), join(folder, taken));
}

describe('SharedDocument', () => {
  test('is made once by many, and stays as it is when it is there', async () => {
    const documents = Array.from({ length: 8 }, () => new SharedDocument(folder));
    await Promise.all(documents.map((document, n) => document.create(`${n}`)));
    const text = await textOf(documents[0]!);
    expect(text).toMatch(/^[0-7]$/);
    await new SharedDocument(folder).create('another');
    expect(await textOf(documents[1]!)).toBe(text);
    expect(readdirSync(folder)).toEqual(['document']);
  });

  test('loses no change of many at once', async () => {
    const documents = Array.from({ length: 4 }, () => new SharedDocument(folder));
    await documents[0]!.create('0');
    const add = (document: SharedDocument) => document.change(async (text) => `${Number(text) + 1}`);
    await Promise.all(Array.from({ length: 100 }, (_, n) => add(documents[n % 4]!)));
    expect(await textOf(documents[0]!)).toBe('100');
  });

  test('is as it was when a change fails, and can be changed by others', async () => {
    const document = new SharedDocument(folder);
    await document.create('old');
    await expect(document.change(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await new SharedDocument(folder).change(async (text) => `${text} and new`);
    expect(await textOf(document)).toBe('old and new');
  });

  test('comes back from a process that died, with or without its commit', async () => {
    const document = new SharedDocument(folder);
    await document.create('committed');
    takeAs(spawnSync(process.execPath, ['-e', '']).pid);
    writeFileSync(join(folder, 'draft'), 'half a te');
    expect(await textOf(document)).toBe('committed');
    await document.change(async () => 'changed');
    expect(readdirSync(folder)).toEqual(['document']);
  });

  test('comes back from an earlier process with the same pid', async () => {
    const document = new SharedDocument(folder);
    await document.create('text');
    takeAs(process.pid);
    expect(await textOf(document)).toBe('text');
  });

  test.each([
    ['a process that lives', process.ppid, hostname()],
    ['another machine', 2 ** 30, 'elsewhere'],
  ])('is not taken from %s: who waits too long is told', async (_, pid, host) => {
    const document = new SharedDocument(folder, 200);
    await document.create('text');
    takeAs(pid, host);
    const refused = textOf(document);
    await expect(refused).rejects.toThrow(StorageError);
    await expect(refused).rejects.toThrow(`taken.${pid}.`);
  });
});
