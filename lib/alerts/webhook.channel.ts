import { createHmac } from 'node:crypto';
import { InvalidOptionError, knownOptions } from '../index.js';
import { AlertChannel, type Alert } from './alert.js';
import { checkedUrl, post } from './posting.js';

/** @publicApi */
export interface WebhookOptions {
  /** Where alerts are posted to, as JSON. Redirects are not followed. */
  url: string;
  /** Such as `{ Authorization: 'Bearer …' }`. @default none */
  headers?: Readonly<Record<string, string>>;
  /** Signs each request: `X-Chronis-Signature: t=<seconds since 1970>,v1=<HMAC-SHA256 of t, a dot and the body, in hex>`. @default not signed */
  secret?: string;
}

const msOfSecond = 1_000;

/** Posts alerts as JSON. Throws InvalidOptionError. @publicApi */
export function webhook(options: WebhookOptions): AlertChannel {
  knownOptions(options, ['url', 'headers', 'secret'], 'webhook()');
  const { headers = {}, secret } = options;
  if (secret !== undefined && (typeof secret !== 'string' || secret === ''))
    throw new InvalidOptionError('secret', 'of webhook() must be a text that is not empty.');
  return new WebhookChannel(checkedUrl(options.url, 'url'), checkedHeaders(headers), secret ?? null);
}

class WebhookChannel extends AlertChannel {
  constructor(
    private readonly url: URL,
    private readonly headers: Readonly<Record<string, string>>,
    private readonly secret: string | null,
  ) {
    super();
  }

  override get name(): string {
    return `webhook of ${this.url.host}`;
  }

  send(alert: Alert, signal: AbortSignal): Promise<void> {
    const body = JSON.stringify(alert);
    const headers: Record<string, string> = { ...this.headers, 'Content-Type': 'application/json' };
    if (this.secret !== null) headers['X-Chronis-Signature'] = signature(body, this.secret);
    return post(this.url, body, headers, signal);
  }
}

function signature(body: string, secret: string): string {
  const seconds = Math.floor(Date.now() / msOfSecond);
  return `t=${seconds},v1=${createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')}`;
}

function checkedHeaders(given: unknown): Readonly<Record<string, string>> {
  try {
    return Object.fromEntries(new Headers(given as Record<string, string>));
  } catch {
    // Not with what it says: a header may be a secret.
    throw new InvalidOptionError('headers', 'of webhook() must be an object of names and values of headers.');
  }
}
