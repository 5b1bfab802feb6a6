import { lookup } from 'node:dns/promises';
import { InvalidOptionError, parseDuration, type DurationInput } from '../index.js';
import { allowedAddresses, isRange, type AllowedAddresses } from './http.addresses.js';
import { allowedHosts, isHostPattern, type IsAllowedHost } from './http.hosts.js';
import { isSecretName, type SecretNames } from './http.secrets.js';
import { knownOptions, listOf, shown } from './option.checks.js';

/** What may be called, and how. @publicApi */
export interface HttpOptions {
  /**
   * The hosts that tasks may call, also by redirects: `api.example.com`, `*.example.com` (all below it, not itself), `*` (any), or an address. Whatever their names, they are called at public addresses only, unless `addresses` names others.
   */
  hosts: readonly string[];
  /** Private and other special addresses that may be called as well: `['10.0.0.0/8', '127.0.0.1', 'fd00::/8']`. @default none */
  addresses?: readonly string[];
  /**
   * Variables of this process that headers, query and body of tasks may refer to as `${env:NAME}`; with the hosts that get them: `{ API_TOKEN: ['api.example.com'] }`. Their values are never kept. @default none
   */
  env?: readonly string[] | Readonly<Record<string, readonly string[]>>;
  /** How long a call may take in all, redirects included, where the task does not say; and no task may say more. @default '1m' */
  timeout?: DurationInput;
  /** How long a connection may take. @default '10s' */
  connectTimeout?: DurationInput;
  /** From the connection to the end of the headers of the answer. @default that of the whole */
  firstByteTimeout?: DurationInput;
  /** The longest body that is read, in bytes, as it is sent and as it is unpacked; what is longer fails the attempt. @default 1 MiB */
  maxBodyBytes?: number;
  /** What `Idempotency-Key` begins with, before the id of the run: ids are unique in one database only, and in memory begin anew with each process. @default none */
  keyPrefix?: string;
  /** Certificates of authorities that are trusted in place of the usual ones, in PEM. @default those of Node.js */
  ca?: string | readonly string[];
  /** All addresses of a name, as texts or as `dns.promises.lookup(name, { all: true })` gives them. @default those that the system knows */
  lookup?: (hostname: string) => Promise<readonly (string | { address: string })[]>;
}

/** The same, checked. */
export interface HttpSettings {
  isAllowedHost: IsAllowedHost;
  addresses: AllowedAddresses;
  secrets: SecretNames;
  timeoutMs: number;
  connectTimeoutMs: number;
  firstByteTimeoutMs: number;
  maxBodyBytes: number;
  keyPrefix: string;
  tls: { ca?: string[] };
  lookup: (hostname: string) => Promise<readonly string[]>;
}

const known = [
  'hosts',
  'addresses',
  'env',
  'timeout',
  'connectTimeout',
  'firstByteTimeout',
  'maxBodyBytes',
  'keyPrefix',
  'ca',
  'lookup',
] as const;
const defaultMaxBody = 1_024 * 1_024;
const highestMaxBody = 64 * 1_024 * 1_024;
const longestMs = 24 * 60 * 60 * 1_000;
const hostForms = 'hosts, such as "api.example.com", "*.example.com" or "*"';

/** Throws InvalidOptionError. */
export function httpSettings(given: HttpOptions): HttpSettings {
  const options = knownOptions(given, known, 'http');
  const { addresses = [], env = [], timeout = '1m', connectTimeout = '10s' } = options;
  const { firstByteTimeout = timeout, maxBodyBytes = defaultMaxBody, ca, lookup: resolve } = options;
  const patterns = listOf(options.hosts ?? [], 'http.hosts', hostForms, isHostPattern);
  if (patterns.length === 0) {
    throw new InvalidOptionError(
      'http.hosts',
      'names no host, so none could be called. Give for example ["api.example.com"], or ["*"] for all that are public.',
    );
  }
  if (!Number.isInteger(maxBodyBytes) || maxBodyBytes < 0 || maxBodyBytes > highestMaxBody) {
    throw new InvalidOptionError(
      'http.maxBodyBytes',
      `must be a number of bytes up to ${highestMaxBody}, but is ${shown(maxBodyBytes)}.`,
    );
  }
  if (resolve !== undefined && typeof resolve !== 'function') {
    throw new InvalidOptionError('http.lookup', `must be a function, but is ${shown(resolve)}.`);
  }
  const { keyPrefix = '' } = options;
  if (typeof keyPrefix !== 'string' || !/^[\w.:@/-]{0,100}$/.test(keyPrefix)) {
    throw new InvalidOptionError(
      'http.keyPrefix',
      `must be letters, digits and . : @ / _ -, but is ${shown(keyPrefix)}.`,
    );
  }
  return {
    isAllowedHost: allowedHosts(patterns),
    addresses: allowedAddresses(
      listOf(addresses, 'http.addresses', 'addresses and ranges, such as "10.0.0.0/8"', isRange),
    ),
    secrets: secretsOf(env),
    timeoutMs: timeLimit(timeout, 'http.timeout'),
    connectTimeoutMs: timeLimit(connectTimeout, 'http.connectTimeout'),
    firstByteTimeoutMs: timeLimit(firstByteTimeout, 'http.firstByteTimeout'),
    maxBodyBytes,
    keyPrefix,
    tls: ca === undefined ? {} : { ca: certificates(ca) },
    lookup: resolve === undefined ? systemLookup : addressesBy(resolve),
  };
}

function secretsOf(env: NonNullable<HttpOptions['env']>): SecretNames {
  const names = 'names of variables';
  if (Array.isArray(env)) {
    return new Map(listOf(env, 'http.env', names, isSecretName).map((name) => [name, null]));
  }
  if (typeof env !== 'object' || env === null) {
    throw new InvalidOptionError('http.env', `must be a list of ${names}, but is ${shown(env)}.`);
  }
  listOf(Object.keys(env), 'http.env', names, isSecretName);
  const hostsOf = ([name, hosts]: [string, unknown]): [string, IsAllowedHost] => [
    name,
    allowedHosts(listOf(hosts, `http.env.${name}`, hostForms, isHostPattern)),
  ];
  return new Map(Object.entries(env).map(hostsOf));
}

function timeLimit(given: DurationInput, option: string): number {
  const ms = parseDuration(given, option);
  if (ms <= longestMs) return ms;
  throw new InvalidOptionError(option, `may be 1 day at most, but is ${shown(given)}.`);
}

function certificates(ca: unknown): string[] {
  const given: unknown = Array.isArray(ca) ? ca : [ca];
  return listOf(given, 'http.ca', 'certificates in PEM', (text) =>
    text.includes('-----BEGIN CERTIFICATE-----'),
  );
}

function addressesBy(resolve: NonNullable<HttpOptions['lookup']>): HttpSettings['lookup'] {
  return async (hostname) =>
    (await resolve(hostname)).map((each) => (typeof each === 'string' ? each : each.address));
}

async function systemLookup(hostname: string): Promise<string[]> {
  const found = await lookup(hostname, { all: true, verbatim: true });
  return found.map(({ address }) => address);
}
