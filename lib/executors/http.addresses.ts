import { BlockList, isIP, isIPv4 } from 'node:net';

/** Which addresses may be called. */
export interface AllowedAddresses {
  /** Also of addresses of IPv6 that stand for one of IPv4. */
  allows(address: string): boolean;
}

/** Everything that is not a host of the public Internet, by the registries of special addresses. */
const special = ranges([
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  // Of 2000::/3: protocols (Teredo among them), documentation.
  '2001::/23',
  '2001:db8::/32',
  '3fff::/20',
]);
/** What is public of IPv6; all else is special, or nobody's yet. */
const publicV6 = ranges(['2000::/3']);

/** Where addresses of IPv6 carry one of IPv4: how they begin, and the group in which it begins. */
const carriers = [
  { name: 'mapped', begin: [0, 0, 0, 0, 0, 0xffff], at: 6 },
  { name: 'translated', begin: [0, 0, 0, 0, 0xffff, 0], at: 6 },
  { name: 'compatible', begin: [0, 0, 0, 0, 0, 0], at: 6 },
  { name: 'NAT64', begin: [0x64, 0xff9b, 0, 0, 0, 0], at: 6 },
  { name: '6to4', begin: [0x2002], at: 1 },
] as const;

/** The public ones, and those of these ranges. */
export function allowedAddresses(given: readonly string[]): AllowedAddresses {
  const named = ranges(given);
  const isIn = (list: BlockList, address: string): boolean =>
    list.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
  const allows = (address: string): boolean => {
    if (isIP(address) === 0 || address.includes('%')) return false;
    if (isIn(named, address)) return true;
    if (isIPv4(address)) return !isIn(special, address);
    const carried = carriedAddress(address);
    if (carried !== null) return allows(carried);
    return isIn(publicV6, address) && !isIn(special, address);
  };
  return { allows };
}

/** An address, or a range such as 10.0.0.0/8. */
export function isRange(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/');
  const version = isIP(address);
  if (version === 0 || address.includes('%') || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}

function ranges(given: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of given) {
    const [address, bits] = range.split('/') as [string, string?];
    const family = isIPv4(address) ? 'ipv4' : 'ipv6';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(bits), family);
  }
  return list;
}

function carriedAddress(address: string): string | null {
  const groups = groupsOf(address);
  const carrier = carriers.find(({ begin }) => begin.every((group, at) => groups[at] === group));
  if (carrier === undefined) return null;
  const [high, low] = [groups[carrier.at]!, groups[carrier.at + 1]!];
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
}

/** The eight groups of an address of IPv6, however it is written. */
function groupsOf(address: string): number[] {
  const [begin = '', end] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const numbers = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  if (end === undefined) return numbers(begin);
  const [first, last] = [numbers(begin), numbers(end)];
  return [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last];
}
