import { InvalidOptionError } from '../index.js';
import { DeliveryError } from './alert.js';

const tooManyRequests = 429;
const requestTimeout = 408;
const ofServer = 500;
const msOfSecond = 1_000;

/** One request to an address that the operator has given. Rejects with DeliveryError, which says nothing of the address but its host. */
export async function post(
  url: URL,
  body: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<void> {
  let answer: Response;
  try {
    // An answer that sends elsewhere would take headers and body there.
    answer = await fetch(url, { method: 'POST', body, headers, signal, redirect: 'manual' });
    await answer.body?.cancel();
  } catch (error) {
    throw new DeliveryError(`${url.host} cannot be reached: ${reasonOf(error)}`);
  }
  const { status } = answer;
  if (answer.ok) return;
  const again = status === tooManyRequests || status === requestTimeout || status >= ofServer;
  throw new DeliveryError(`${url.host} has answered ${status}`, again, askedMs(answer));
}

/** Throws InvalidOptionError. */
export function checkedUrl(given: unknown, option: string): URL {
  const url = typeof given === 'string' && URL.canParse(given) ? new URL(given) : null;
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new InvalidOptionError(option, 'must be an address that begins with http:// or https://.');
  if (url.username !== '' || url.password !== '')
    throw new InvalidOptionError(option, 'has a login, which is not sent: give it as a header.');
  return url;
}

function askedMs({ headers }: Response): number | null {
  const seconds = headers.get('retry-after')?.trim() ?? '';
  return /^\d{1,6}$/.test(seconds) ? Number(seconds) * msOfSecond : null;
}

/** What fetch says itself is "fetch failed". */
function reasonOf(error: unknown): string {
  if (error instanceof DeliveryError) return error.message;
  const { cause, name } = error as { cause?: { code?: unknown }; name?: unknown };
  return String(cause?.code ?? name);
}
