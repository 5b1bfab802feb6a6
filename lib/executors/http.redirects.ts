import type { Answer, Order } from './http.exchange.js';

/** Of a request that may be sent anywhere. */
const harmless = new Set(['accept', 'accept-language', 'user-agent', 'content-type', 'idempotency-key']);
const redirects = new Set([301, 302, 303, 307, 308]);
const movedPermanently = 301;
const found = 302;
const seeOther = 303;

/** What of a request is secret. */
export interface SecretParts {
  /** Headers with one, by their names in lower case. */
  headers: ReadonlySet<string>;
  isInBody: boolean;
  /** Whether the URL has one that its host does not get. */
  isWronglyIn(url: URL): boolean;
}

/** Where a redirect leads, or why nobody goes there. null: it is none. */
export type Next = { order: Order } | { refused: string } | null;

export function isRedirect(status: number): boolean {
  return redirects.has(status);
}

/** The request that a redirect asks for. Another origin does not get what is secret, whatever header that is in. */
export function nextOf(order: Order, { status, headers }: Answer, secret: SecretParts): Next {
  const { location } = headers;
  if (!isRedirect(status) || location === undefined) return null;
  if (!URL.canParse(location, order.url)) return { refused: 'where to cannot be understood' };
  const url = new URL(location, order.url);
  url.hash = '';
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return { refused: `to ${url.protocol}` };
  if (url.username !== '' || url.password !== '') return { refused: 'with a password' };
  if (order.url.protocol === 'https:' && url.protocol === 'http:') {
    return { refused: `from https to http, at ${url.host}` };
  }
  const next = keepsBody(order, status) ? order : withoutBody(order);
  if (url.origin === order.url.origin) return { order: { ...next, url } };
  if ((next.body !== null && secret.isInBody) || secret.isWronglyIn(url))
    return { refused: `to ${url.host}, which may not get what is secret` };
  const headersOfNext = Object.entries(next.headers).filter(([name]) => {
    const key = name.toLowerCase();
    return harmless.has(key) && !secret.headers.has(key);
  });
  return { order: { ...next, url, headers: Object.fromEntries(headersOfNext) } };
}

/** As browsers do: 303, and 301 and 302 after a POST, ask for a GET. */
function keepsBody({ method }: Order, status: number): boolean {
  if (status === seeOther) return method === 'GET' || method === 'HEAD';
  return !((status === movedPermanently || status === found) && method === 'POST');
}

function withoutBody(order: Order): Order {
  const headers = Object.entries(order.headers).filter(([name]) => !/^content-/i.test(name));
  return { url: order.url, method: 'GET', headers: Object.fromEntries(headers), body: null };
}
