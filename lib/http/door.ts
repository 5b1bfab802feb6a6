import { HttpProblem } from './problem.js';
import { headerOf, type PlatformRequest } from './request.reader.js';
import { changes, type Route } from './route.js';

export interface DoorSettings {
  /** Nobody else guards it: so only this machine comes in. */
  isLocal: boolean;
  readOnly: boolean;
  /** Other sites whose pages may ask for changes. */
  origins: readonly string[];
}

const loopback = /^(127\.\d+\.\d+\.\d+|::1|::ffff:127\.\d+\.\d+\.\d+)$/;
const localHost = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/i;

/** Lets in, or throws HttpProblem: what does not depend on who asks. */
export function assertAdmitted(route: Route, request: PlatformRequest, settings: DoorSettings): void {
  if (settings.isLocal) assertLocal(request);
  if (!changes(route)) return;
  if (settings.readOnly)
    throw new HttpProblem(405, 'http.read-only', 'Nothing can be changed here: the API is read-only.', {
      Allow: 'GET, HEAD',
    });
  assertOwnSite(request, settings.origins);
  assertJson(route, request);
}

/** By the connection: what headers say of the client, anybody can say. */
function assertLocal(request: PlatformRequest): void {
  const from = request.socket?.remoteAddress ?? '';
  const isForwarded =
    headerOf(request, 'forwarded') !== null || headerOf(request, 'x-forwarded-for') !== null;
  // By another name a page of any site could reach this machine through the browser of somebody on it.
  const isNamed = localHost.test(headerOf(request, 'host') ?? '');
  if (loopback.test(from) && isNamed && !isForwarded) return;
  throw new HttpProblem(
    403,
    'http.not-local',
    'Only this machine is let in, as ChronisHttpModule has no guards. Give them: forRoot({ guards: [AuthGuard] }).',
  );
}

/** A page of another site may send what the browser adds cookies to, also where the application answers CORS with everything. */
function assertOwnSite(request: PlatformRequest, origins: readonly string[]): void {
  if (headerOf(request, 'x-http-method-override') !== null)
    throw new HttpProblem(403, 'http.method-override', 'X-HTTP-Method-Override is not taken here.');
  const origin = headerOf(request, 'origin');
  if (origin !== null && origins.includes(origin)) return;
  const site = headerOf(request, 'sec-fetch-site');
  if (site === 'same-origin' || site === 'none') return;
  // What is no browser sends neither of them.
  if (site === null && (origin === null || hostOf(origin) === headerOf(request, 'host'))) return;
  throw new HttpProblem(
    403,
    'http.cross-site',
    'Pages of other sites may change nothing here. Name those that may in the option "origins" of ChronisHttpModule.',
  );
}

function hostOf(origin: string): string | null {
  return URL.canParse(origin) ? new URL(origin).host : null;
}

/** What a form can send is not taken. A change that needs no body may be without any. */
function assertJson(route: Route, request: PlatformRequest): void {
  const type = headerOf(request, 'content-type');
  if (type === null && (route.method === 'DELETE' || route.isBare)) return;
  if (type !== null && /^application\/json\s*(;|$)/i.test(type)) return;
  throw new HttpProblem(
    415,
    'http.content-type',
    'Send changes as JSON, with Content-Type: application/json; {} where there is nothing to say.',
  );
}
