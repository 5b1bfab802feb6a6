import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { jobOf, placeOfOption } from '../../lib/job-files/entry.format.js';
import { FileFault, SourceText, type FilePlace } from '../../lib/job-files/file.fault.js';
import { parseFile, type FileEntry } from '../../lib/job-files/file.parser.js';
import { textOf } from '../../lib/job-files/file.text.js';
import { folderForEachTest, job, type FolderApps } from './folder.app.js';

function read(name: string, text: string | Uint8Array): FileEntry[] {
  return parseFile(name, textOf(typeof text === 'string' ? Buffer.from(text) : text));
}

function values(name: string, text: string): unknown[] {
  return read(name, text).map(({ value }) => value);
}

function faultOf(name: string, text: string | Uint8Array): { message: string } & FilePlace {
  try {
    for (const entry of read(name, text)) jobOf(entry);
  } catch (error) {
    expect(error).toBeInstanceOf(FileFault);
    const { message, place } = error as FileFault;
    return { message, ...place };
  }
  throw new Error(`Nothing is wrong with ${JSON.stringify(text)}.`);
}

describe('a job file', () => {
  test('has one job, a list, or an object with the list, in JSON and in YAML', () => {
    const one = { id: 'a', every: '1h' };
    expect(values('a.json', JSON.stringify(one))).toEqual([one]);
    expect(values('a.json', JSON.stringify([one, one]))).toEqual([one, one]);
    expect(values('a.json', JSON.stringify({ $schema: 'x', jobs: [one] }))).toEqual([one]);
    expect(values('a.yaml', 'id: a\nevery: 1h\n')).toEqual([one]);
    expect(values('a.yml', '- id: a\n  every: 1h\n- {id: a, every: 1h}\n')).toEqual([one, one]);
    expect(values('a.yaml', 'jobs:\n  - id: a\n    every: 1h\n')).toEqual([one]);
    expect(values('a.yaml', '---\nid: a\nevery: 1h\n---\nid: a\nevery: 1h\n')).toEqual([one, one]);
    expect(values('a.json', '[]')).toEqual([]);
  });

  test('may have a byte order mark and line ends of Windows', () => {
    expect(values('a.json', '\uFEFF{\r\n  "id": "a"\r\n}\r\n')).toEqual([{ id: 'a' }]);
    expect(values('a.yaml', '\uFEFFid: a\r\nschedule: "* * * * *"\r\n')).toEqual([
      { id: 'a', schedule: '* * * * *' },
    ]);
    expect(faultOf('a.yaml', 'id: a\r\nid: b\r\n')).toMatchObject({ line: 2, column: 1 });
  });

  test('says where each of very many jobs is, for little more than it takes to read them', () => {
    const all = Array.from({ length: 6_000 }, (_, nth) => ({
      id: `job-${nth}`,
      cron: '0 3 * * *',
      handler: 'a',
    }));
    const text = JSON.stringify(all, null, 2);
    const timeOf = (work: () => void): number => {
      const began = performance.now();
      work();
      return performance.now() - began;
    };
    const reading = timeOf(() => parseAllDocuments(text, { prettyErrors: false, logLevel: 'silent' }));
    let entries: FileEntry[] = [];
    const finding = timeOf(() => {
      entries = read('a.json', text);
      for (const [nth, entry] of entries.entries()) {
        expect(entry.place).toEqual({ line: 2 + nth * 5, column: 3 });
        expect(entry.placeOf('handler')).toEqual({ line: 5 + nth * 5, column: 5 });
      }
    });
    expect(entries).toHaveLength(all.length);
    // Where each place costs the text before it, it is a hundred times as much.
    expect(finding).toBeLessThan(reading * 5 + 1_000);
  });

  test('says where something is at the begin and the end of a line, and of the text', () => {
    const source = new SourceText('a\r\nbc\n\nd');
    const places = [0, 1, 2, 3, 5, 6, 7, 8].map((offset) => source.placeAt(offset));
    expect(places.map(({ line, column }) => `${line}:${column}`)).toEqual([
      ...['1:1', '1:2', '1:3', '2:1', '2:3', '3:1', '4:1', '4:2'],
    ]);
    expect(new SourceText('').placeAt(0)).toEqual({ line: 1, column: 1 });
  });

  test('takes YAML 1.2 at its word: no is a text', () => {
    expect(values('a.yaml', 'id: no\nname: on\npayload: [yes, 0o7, 012, null, true]\n')).toEqual([
      { id: 'no', name: 'on', payload: ['yes', 7, 12, null, true] },
    ]);
    expect(faultOf('a.yaml', 'id: a\nevery: 1h\nenabled: no\n')).toEqual({
      message: 'enabled: must be true or false, but is "no".',
      line: 3,
      column: 1,
    });
  });

  test('may have anchors, a few of them', () => {
    expect(values('a.yaml', '- &base { id: a, every: 1h }\n- *base\n')).toHaveLength(2);
    const bomb = [
      'a: &a [x, x, x, x, x, x, x, x, x, x]',
      ...'bcdefgh'.split('').map((name, nth) => {
        const before = 'abcdefg'[nth]!;
        return `${name}: &${name} [${Array(10).fill(`*${before}`).join(', ')}]`;
      }),
    ].join('\n');
    const began = performance.now();
    expect(faultOf('a.yaml', bomb).message).toContain('aliases');
    expect(performance.now() - began).toBeLessThan(1_000);
  });

  test.each<[string, string, string | Uint8Array, string, number | null, number | null]>([
    ['an empty file', 'a.json', ' \n', 'The file is empty.', null, null],
    ['null', 'a.json', 'null\n', 'it is null', null, null],
    ['comments only', 'a.yaml', '# nothing\n', 'comments only', null, null],
    ['null', 'a.json', 'null', 'no job', null, null],
    ['JSON that ends too early', 'a.json', '{\n  "id": "a"', 'No JSON', 2, 12],
    ['JSON with a comma too many', 'a.json', '{\n  "id": "a",\n}', 'No JSON', 3, 1],
    ['JSON with a comment', 'a.json', '{\n  // it\n  "id": "a"\n}', 'No JSON', 2, 3],
    ['a value that is missing', 'a.json', '{\n  "id":\n}', 'No JSON', 3, 1],
    ['YAML in a JSON file', 'a.json', 'id: a\n', 'No JSON', 1, 1],
    ['a duplicate key in JSON', 'a.json', '{\n  "id": "a",\n  "id": "b"\n}', 'twice', 3, 3],
    ['a duplicate key in YAML', 'a.yaml', 'id: a\nevery: 1h\nid: b\n', 'twice', 3, 1],
    ['a duplicate key within', 'a.yaml', 'id: a\npayload:\n  x: 1\n  x: 2\n', 'twice', 4, 3],
    ['an indentation that is wrong', 'a.yaml', 'id: a\n  every: 1h\n', 'No YAML', 1, 5],
    ['a cron without quotes', 'a.yaml', 'id: a\nschedule: */5 * * * *\n', 'needs quotes', 2, 15],
    ['a tag', 'a.yaml', 'id: !!js/function a\n', 'tag', 1, 5],
    ['an alias of nothing', 'a.yaml', 'id: *a\n', 'aliases', null, null],
    ['a text', 'a.yaml', 'hello\n', 'must be an object', 1, 1],
    ['a list of texts', 'a.yaml', '- id: a\n  every: 1h\n- b\n', 'must be an object', 3, 3],
    ['something beside jobs', 'a.yaml', 'jobs: []\nqueue: x\n', '"queue" stands beside "jobs"', 2, 1],
    ['jobs that are no list', 'a.yaml', 'jobs: a\n', '"jobs" must be a list', 1, 1],
    ['bytes that are no text', 'a.json', Buffer.from([0x7b, 0xff, 0x7d]), 'not UTF-8', null, null],
    ['UTF-16', 'a.json', Buffer.from('\uFEFF{}', 'utf16le'), 'UTF-16', null, null],
    ['zero bytes, as after a crash', 'a.json', Buffer.alloc(64), 'zero byte', null, null],
    ['no id', 'a.yaml', 'every: 1h\n', 'no "id"', 1, 1],
    ['an id that is a number', 'a.yaml', 'every: 1h\nid: 7\n', 'id: must be a text', 2, 1],
    ['two ids', 'a.yaml', 'id: a\njob_id: b\nevery: 1h\n', '"id" and "job_id"', 2, 1],
    ['no schedule', 'a.yaml', '\nid: a\n', 'no schedule', 2, 1],
    [
      'a schedule that is misspelt',
      'a.yaml',
      'id: a\nshedule: "* * * * *"\n',
      'Did you mean "schedule"?',
      2,
      1,
    ],
    ['two schedules', 'a.yaml', 'id: a\nevery: 1h\nschedule: "* * * * *"\n', 'given 2 times', 2, 1],
    ['a schedule that is a number', 'a.yaml', 'id: a\nschedule: 5\n', 'schedule: must be', 2, 1],
    ['a description that is none', 'a.yaml', 'id: a\nevery: 1h\ndescription: 5\n', 'description', 3, 1],
  ])('%s is refused with its place', (_, name, text, message, line, column) => {
    const fault = faultOf(name, text);
    expect(fault.message).toContain(message);
    expect([fault.line, fault.column]).toEqual([line, column]);
  });

  const lists = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);
  const levels = 9_000;
  test.each<[string, string, string]>([
    ['in JSON', 'a.json', lists(200_000)],
    ['in the task of a job', 'a.json', `{"id":"a","every":"1h","task":{"type":"x","args":${lists(levels)}}}`],
    ['in objects of JSON', 'a.json', '{"a":'.repeat(levels) + '1' + '}'.repeat(levels)],
    ['in YAML that ends too early', 'a.yaml', '['.repeat(20_000)],
    ['in maps of YAML in one line', 'a.yaml', '{a: '.repeat(levels)],
    ['in lists of lists', 'a.yaml', `${'- '.repeat(levels)}a`],
    ['in keys that are maps', 'a.yaml', `${'? '.repeat(levels)}a`],
    ['line by line', 'a.yaml', Array.from({ length: 1_500 }, (_, nth) => `${' '.repeat(nth)}a:`).join('\n')],
  ])('what is nested without end, %s, is refused before it is read', (_, name, text) => {
    const { message, line } = faultOf(name, text);
    expect(message).toBe('The file is nested more than 510 levels deep.');
    expect(line).toBeGreaterThan(0);
  });

  test('what is wrong is shown in part where it is long', () => {
    const { message } = faultOf('a.json', `{"every":"1h","id":${lists(400)}}`);
    expect(message).toBe(`id: must be a text, but is ${'['.repeat(100)}….`);
  });

  test('what is open without end is no JSON', () => {
    expect(faultOf('a.json', '['.repeat(200_000)).message).toContain('No JSON');
  });

  test('a payload may be as deep as it may be elsewhere, in a list of jobs', () => {
    const [entry] = read('a.json', `{"jobs":[{"id":"a","every":"1h","payload":${lists(500)}}]}`);
    expect(JSON.stringify(entry!.value.payload)).toBe(lists(500));
  });

  test('text with brackets in it is no nesting', () => {
    const command = 'echo "\\e[1m{"';
    const text = `payload: |\n  ${`${command}\n  `.repeat(2_000)}\nid: 'a[[[['\nname: a{[b\nevery: 1h # [[[\n`;
    expect(values('a.yaml', text.replace('id:', '\nid:'))).toMatchObject([{ id: 'a[[[[', name: 'a{[b' }]);
    expect(values('a.json', JSON.stringify({ id: 'a', payload: '[{'.repeat(2_000) }))).toHaveLength(1);
  });

  test('a schedule is a cron, a time or a pace', () => {
    const scheduled = (schedule: string): unknown => {
      const [entry] = read('a.json', JSON.stringify({ id: 'a', schedule }));
      const { id: _, ...timing } = jobOf(entry!).options;
      return timing;
    };
    expect(scheduled('*/5 * * * *')).toEqual({ cron: '*/5 * * * *' });
    expect(scheduled('@daily')).toEqual({ cron: '@daily' });
    expect(scheduled('2025-09-20T02:00:00Z')).toEqual({ at: '2025-09-20T02:00:00Z' });
    expect(scheduled('2025-09-20T02:00:00')).toEqual({ at: '2025-09-20T02:00:00' });
    expect(scheduled('PT5M')).toEqual({ every: 'PT5M' });
  });

  test('what an error says of an option is where the file says it', () => {
    const [entry] = read('a.yaml', 'job_id: a\nschedule: "x"\ntask:\n  type: y\n');
    const line = (option: string | undefined): number | null => placeOfOption(option, entry!).line;
    expect(['id', 'cron', 'handler', 'payload', 'task.type', 'other', undefined].map(line)).toEqual([
      1, 2, 3, 3, 3, 1, 1,
    ]);
  });
});

describe('the JSON schema', () => {
  const schema = JSON.parse(readFileSync('job-files/schema.json', 'utf8')) as {
    definitions: { job: { properties: Record<string, unknown> } };
  };
  const ajv = new Ajv({ strict: false });
  const validate = ajv.compile(schema);
  const known = Object.keys(schema.definitions.job.properties);
  const samples: Record<string, unknown> = {
    $schema: './schema.json',
    name: 'A',
    description: 'It',
    enabled: true,
    namespace: 'default',
    timeZone: 'Asia/Seoul',
    startAt: '2026-01-01T00:00:00Z',
    endAt: '2099-01-01T00:00:00Z',
    maxRuns: 5,
    jitter: '5s',
    exclude: [{ weekdays: ['sat', 'sun'] }],
    dst: { gap: 'skip', overlap: 'both' },
    anchor: '2026-01-01T00:00:00Z',
    mode: 'fixed-delay',
    calendar: true,
    payload: { any: ['thing'] },
    queue: 'default',
    priority: 'high',
    metadata: { a: 1 },
    overlap: 'queue',
    misfire: 'all',
    ifMissed: 'run_once',
    if_missed: 'skip',
    misfireThreshold: '1m',
    misfireLimit: { count: 5, age: '1h' },
    recovery: 'abandon',
    maxRetries: 3,
    backoff: ['1s', '10s'],
    timeout: '5m',
    pauseAfterFailures: 3,
    lateAfter: '10m',
    maxLost: 2,
    onSuccess: 'say',
    onFailure: { handler: 'say', queue: 'default' },
  };
  const others = ['id', 'job_id', 'schedule', 'cron', 'every', 'at', 'handler', 'task'];
  let folder: FolderApps;
  folderForEachTest((fresh) => (folder = fresh));

  test('knows what there is', () => {
    expect(known.toSorted()).toEqual([...Object.keys(samples), ...others].toSorted());
  });

  test('says of each option what the reader says, and of what is wrong the same', async () => {
    const ofEvery = ['anchor', 'mode', 'calendar', 'jitter'];
    const files: [string, unknown, boolean][] = Object.entries(samples).map(([option, value]) => [
      option,
      {
        ...(ofEvery.includes(option) ? { every: '1d' } : { cron: '0 0 1 1 *' }),
        id: option,
        handler: 'say',
        [option]: value,
      },
      true,
    ]);
    const wrong: [string, Record<string, unknown>][] = [
      ['unknown', job('x', { evry: 1 })],
      ['no-id', { cron: '* * * * *', handler: 'say' }],
      ['two-ids', job('x', { job_id: 'x' })],
      ['no-schedule', { id: 'x', handler: 'say' }],
      ['two-schedules', job('x', { every: '1h' })],
      ['no-handler', { id: 'x', every: '1h' }],
      ['both', { id: 'x', every: '1h', handler: 'say', task: { type: 'execute_command', command: 'x' } }],
      [
        'payload-of-a-task',
        { id: 'x', every: '1h', payload: 1, task: { type: 'execute_command', command: 'x' } },
      ],
      ['task-without-type', { id: 'x', every: '1h', task: { command: 'x' } }],
      ['enabled', job('x', { enabled: 'no' })],
      ['overlap', job('x', { overlap: 'never' })],
      ['retries', job('x', { maxRetries: -1 })],
      ['late', job('x', { lateAfter: true })],
      ['dst', job('x', { dst: { gap: 'never' } })],
    ];
    files.push(
      ['job-id', { job_id: 'job-id', schedule: '@daily', handler: 'say' }, true],
      ['at', { id: 'at', at: '2099-01-01T00:00:00Z', handler: 'say' }, true],
      ['fields', { id: 'fields', cron: { hour: 3, dayOfWeek: 'mon-fri' }, handler: 'say' }, true],
      ['list', [job('one'), job('two')], true],
      ['jobs', { $schema: 'x', jobs: [job('three')] }, true],
      ['task', { id: 'task', every: { hours: 1 }, task: { type: 'execute_command', command: 'x' } }, true],
      ...wrong.map(([name, value]): [string, unknown, boolean] => [`wrong-${name}`, value, false]),
    );
    for (const [name, content] of files) folder.write(`${name}.json`, content);
    const app = await folder.start();
    const bySchema = files.map(([name, content]) => [name, validate(content)]);
    const byReader = files.map(([name]) => [name, app.file(`${name}.json`)!.error === null]);
    const expected = files.map(([name, , isRight]) => [name, isRight]);
    expect([bySchema, byReader]).toEqual([expected, expected]);
  });
});
