import { isIP } from 'node:net';

/** Whether tasks may call the host: a name in lower case without a dot at its end, or an address. */
export type IsAllowedHost = (host: string) => boolean;

/** By names, of which `*.` at the begin stands for all that end so; `*` is any. */
export function allowedHosts(patterns: readonly string[]): IsAllowedHost {
  const wanted = patterns.map((pattern) => pattern.toLowerCase());
  return (host) =>
    wanted.some((pattern) => {
      if (pattern === '*') return true;
      if (pattern.startsWith('*.')) return isIP(host) === 0 && host.endsWith(pattern.slice(1));
      return host === pattern;
    });
}

/** A name of a host, an address, or either of these with `*`. */
export function isHostPattern(text: string): boolean {
  if (text === '*' || isIP(text) !== 0) return true;
  const name = text.startsWith('*.') ? text.slice(2) : text;
  return /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/i.test(name);
}

/** Of a URL, as it is compared and looked up. */
export function hostOf({ hostname }: URL): string {
  const bare = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  return bare.replace(/\.+$/, '').toLowerCase();
}
