import {
  Agent as HttpAgent,
  request as requestHttp,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { isIP, isIPv6, type LookupFunction } from 'node:net';
import { addAbortSignal, type Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip } from 'node:zlib';
import { hostOf } from './http.hosts.js';
import type { HttpSettings } from './http.options.js';
import { specialAddress } from './http.task.js';

/** One request, with the secrets in it. */
export interface Order {
  url: URL;
  method: string;
  headers: Readonly<Record<string, string>>;
  body: Buffer | null;
}

/** The answer to it. */
export interface Answer {
  status: number;
  headers: IncomingMessage['headers'];
  /** null: none was read. */
  body: Buffer | null;
}

/** Why it came to no answer; what it says is not secret. */
export class ExchangeError extends Error {}

/** The same, and another attempt would come to the same. */
export class ForbiddenAddress extends ExchangeError {}

const maxHeaderBytes = 16 * 1_024;
const decoders = new Map<string, () => Transform>([
  ['gzip', createGunzip],
  ['x-gzip', createGunzip],
  ['br', createBrotliDecompress],
]);
const noContent = 204;
const notModified = 304;

/** Connections are not kept, so each has been judged for the request it is used by; no proxy of the environment comes between. */
const agents = { http: new HttpAgent({ keepAlive: false }), https: new HttpsAgent({ keepAlive: false }) };

/**
 * Sends a request and reads the answer, of which the body only if `isRead` says so. Whatever the name comes to, it connects to the very addresses that have been judged.
 * Rejects with ExchangeError, with what the network says, and with the reason of the signal.
 */
export async function exchange(
  order: Order,
  settings: HttpSettings,
  signal: AbortSignal,
  isRead: (status: number) => boolean,
): Promise<Answer> {
  signal.throwIfAborted();
  const stop = new AbortController();
  const abort = (): void => stop.abort(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    const response = await send(order, settings, stop);
    const { statusCode: status = 0, headers } = response;
    if (isRead(status)) {
      return { status, headers, body: await bodyOf(order, response, settings.maxBodyBytes, stop.signal) };
    }
    response.destroy();
    return { status, headers, body: null };
  } catch (error) {
    // What the platform says of it is only that it was stopped.
    stop.signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
    // Whatever is still under way.
    if (!stop.signal.aborted) stop.abort();
  }
}

function send(order: Order, settings: HttpSettings, stop: AbortController): Promise<IncomingMessage> {
  const { url, method, headers, body } = order;
  const isTls = url.protocol === 'https:';
  const options: RequestOptions & { ca?: string[]; rejectUnauthorized?: boolean; servername?: string } = {
    host: hostOf(url),
    port: url.port === '' ? (isTls ? 443 : 80) : Number(url.port),
    path: `${url.pathname}${url.search}`,
    method,
    headers: {
      ...headers,
      Host: url.host,
      'Accept-Encoding': 'gzip, br',
      ...(body === null ? {} : { 'Content-Length': String(body.length) }),
    },
    agent: isTls ? agents.https : agents.http,
    lookup: judgingLookup(settings),
    maxHeaderSize: maxHeaderBytes,
    insecureHTTPParser: false,
    signal: stop.signal,
    // Whatever NODE_TLS_REJECT_UNAUTHORIZED says.
    ...(isTls ? { ...settings.tls, rejectUnauthorized: true } : {}),
    ...(isTls && isIP(hostOf(url)) === 0 ? { servername: hostOf(url) } : {}),
  };
  return new Promise((resolve, reject) => {
    const request = isTls ? requestHttps(options) : requestHttp(options);
    const { connectTimeoutMs, firstByteTimeoutMs } = settings;
    let timer = after(connectTimeoutMs, stop, `there was no connection within ${connectTimeoutMs} ms`);
    request.once('socket', (socket) => {
      socket.once(isTls ? 'secureConnect' : 'connect', () => {
        clearTimeout(timer);
        timer = after(firstByteTimeoutMs, stop, `it did not begin to answer within ${firstByteTimeoutMs} ms`);
      });
    });
    request.once('response', (response) => {
      clearTimeout(timer);
      // Of an answer that nobody reads to its end.
      response.on('error', () => {});
      resolve(response);
    });
    request.on('error', reject);
    request.once('upgrade', (_, socket) => {
      socket.destroy();
      reject(new ExchangeError('it wants to speak another protocol'));
    });
    // At the latest then; a promise that is settled is not changed by it.
    request.once('close', () => {
      clearTimeout(timer);
      reject(new ExchangeError('the connection was closed before an answer'));
    });
    request.end(body ?? undefined);
  });
}

function after(ms: number, stop: AbortController, problem: string): NodeJS.Timeout {
  return setTimeout(() => stop.abort(new ExchangeError(problem)), ms);
}

/** One question to the resolver, whose answer is judged, and which is the one that is connected to. */
function judgingLookup({ lookup, addresses }: HttpSettings): LookupFunction {
  return (hostname, { all, family }, done) => {
    const judged = async (): Promise<{ address: string; family: number }[]> => {
      const found = await lookup(hostname);
      const refused = found.find((address) => !addresses.allows(address));
      if (refused !== undefined)
        throw new ForbiddenAddress(`${hostname} is ${refused}, and ${specialAddress(refused)}`);
      const each = found.map((address) => ({ address, family: isIPv6(address) ? 6 : 4 }));
      const wanted = each.filter((one) => !family || one.family === family);
      if (wanted.length === 0) throw new ExchangeError(`${hostname} has no address`);
      return wanted;
    };
    judged().then(
      (each) => (all ? done(null, each) : done(null, each[0]!.address, each[0]!.family)),
      (error: NodeJS.ErrnoException) => done(error, '', 0),
    );
  };
}

/** What is longer than allowed is not read to its end, neither as it is sent nor as it is unpacked. */
async function bodyOf(
  { method }: Order,
  response: IncomingMessage,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Buffer> {
  const { statusCode: status = 0, headers } = response;
  const sent = await collected(limited(maxBytes, 'longer than')(addAbortSignal(signal, response)));
  const hasNone = method === 'HEAD' || status === noContent || status === notModified;
  // Some say of an answer without a byte that it is packed.
  if (hasNone || sent.length === 0) return sent;
  const coding = (headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (coding === 'identity') return sent;
  const decoder = decoders.get(coding)?.();
  if (decoder === undefined) {
    throw new ExchangeError(
      `it packs its answer by ${JSON.stringify(coding.slice(0, 40))}, which was not asked for`,
    );
  }
  addAbortSignal(signal, decoder).end(sent);
  return collected(limited(maxBytes, 'unpacked longer than')(decoder));
}

async function collected(source: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Whoever reads no further ends the stream. */
function limited(maxBytes: number, how: string): (source: AsyncIterable<Buffer>) => AsyncGenerator<Buffer> {
  return async function* (source) {
    let bytes = 0;
    for await (const chunk of source) {
      bytes += chunk.length;
      if (bytes > maxBytes) {
        throw new ExchangeError(
          `its answer is ${how} the ${maxBytes} bytes that the http executor reads (http.maxBodyBytes)`,
        );
      }
      yield chunk;
    }
  };
}
