import type { JsonValue } from '../index.js';
import type { Answer } from './http.exchange.js';
import type { Secrets } from './http.secrets.js';

/** What comes of a call. @publicApi */
export interface HttpResult {
  status: number;
  /** Some of them, by names in lower case: what the body is, its version, where it is. */
  headers: Record<string, string>;
  /** As JSON where it is that, else as text; null: it is empty. Cut where `isCut`, and then always text. */
  body: JsonValue;
  /** How long it was, whatever is kept. */
  bodyBytes: number;
  isCut: boolean;
}

const kept = [
  'content-type',
  'content-language',
  'date',
  'etag',
  'last-modified',
  'location',
  'retry-after',
  'x-request-id',
  'x-correlation-id',
];
const longestHeader = 512;
/** Less than results may have, in JSON. */
const mostOfResult = 60 * 1_024;
const shrink = 0.8;
const json = /^application\/([\w.+-]+\+)?json\b/i;

/** As much of the answer as fits into a result, without what is secret. */
export function httpResult(answer: Answer, secrets: Secrets): HttpResult {
  const result = {
    status: answer.status,
    headers: headersOf(answer, secrets),
    bodyBytes: answer.body?.length ?? 0,
  };
  const text = textOf(answer, secrets);
  const whole = { ...result, body: valueOf(answer, text, secrets), isCut: false };
  if (isSmall(whole)) return whole;
  for (let most = Math.min(mostOfResult, text.length); ; most = Math.floor(most * shrink)) {
    const cut = { ...result, body: text.slice(0, most), isCut: true };
    if (isSmall(cut)) return cut;
  }
}

/** The body, without what is secret and what no storage takes. */
export function textOf({ body, headers }: Answer, secrets: Secrets): string {
  if (body === null) return '';
  const charset = /charset="?([\w-]+)/i.exec(headers['content-type'] ?? '')?.[1];
  return secrets.scrub(decoded(body, charset)).replaceAll('\0', '\uFFFD');
}

function decoded(body: Buffer, charset = 'utf-8'): string {
  try {
    return new TextDecoder(charset).decode(body);
  } catch {
    return new TextDecoder().decode(body);
  }
}

function valueOf({ headers }: Answer, text: string, secrets: Secrets): JsonValue {
  if (text === '') return null;
  if (!json.test(headers['content-type'] ?? '')) return text;
  try {
    // What was written by escapes is a secret only now.
    return secrets.scrubAll(JSON.parse(text) as JsonValue);
  } catch {
    return text;
  }
}

function headersOf({ headers }: Answer, secrets: Secrets): Record<string, string> {
  const given = kept.flatMap((name) => {
    const value = headers[name];
    return typeof value === 'string' ? [[name, secrets.scrub(value).slice(0, longestHeader)]] : [];
  });
  return Object.fromEntries(given) as Record<string, string>;
}

function isSmall(result: HttpResult): boolean {
  return Buffer.byteLength(JSON.stringify(result)) <= mostOfResult;
}
