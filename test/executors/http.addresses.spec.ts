import { describe, expect, test } from 'vitest';
import { allowedAddresses, isRange } from '../../lib/executors/http.addresses.js';
import { allowedHosts, isHostPattern } from '../../lib/executors/http.hosts.js';

const publicOnes = allowedAddresses([]);

describe('an address', () => {
  test.each([
    '1.1.1.1',
    '9.255.255.255',
    '100.63.255.255',
    '172.15.255.255',
    '172.32.0.0',
    '192.167.1.1',
    '223.255.255.255',
    '2606:4700:4700::1111',
    '2a00:1450:4001:80b::200e',
    // What they carry is public.
    '::ffff:1.1.1.1',
    '64:ff9b::101:101',
    '2002:101:101::1',
  ])('of the Internet is called: %s', (address) => {
    expect(publicOnes.allows(address)).toBe(true);
  });

  test.each([
    '0.0.0.0',
    '0.1.2.3',
    '10.1.2.3',
    '100.64.0.1',
    '127.0.0.1',
    '127.255.255.254',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.8',
    '192.0.2.1',
    '192.168.0.1',
    '198.18.0.1',
    '198.51.100.7',
    '203.0.113.9',
    '224.0.0.1',
    '239.255.255.255',
    '255.255.255.255',
    '::',
    '::1',
    'fc00::1',
    'fd12:3456::1',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'ff02::1',
    '2001:db8::1',
    '2001::1',
    '2001:0:4136:e378:8000:63bf:3fff:fdd2',
    '3fff::1',
    '100::1',
    // Of IPv4, in other clothes.
    '::ffff:127.0.0.1',
    '::ffff:a9fe:a9fe',
    '0:0:0:0:0:ffff:0a00:0001',
    '::127.0.0.1',
    '::a9fe:a9fe',
    '::ffff:0:7f00:1',
    '64:ff9b::7f00:1',
    '64:ff9b::169.254.169.254',
    '64:ff9b:1::7f00:1',
    '2002:7f00:1::',
    '2002:a9fe:a9fe::1',
    'no address',
    '',
  ])('of any other kind is not called: %s', (address) => {
    expect(publicOnes.allows(address)).toBe(false);
  });

  test('is called where a range names it, in any clothes', () => {
    const some = allowedAddresses(['10.0.0.0/8', '127.0.0.1', 'fd00::/8']);
    const called = ['10.255.0.1', '127.0.0.1', 'fd00::1', '::ffff:10.0.0.1', '::ffff:7f00:1', '2002:a00:1::'];
    expect(called.filter((address) => !some.allows(address))).toEqual([]);
    const others = ['127.0.0.2', '11.0.0.1', 'fc00::1', '169.254.169.254', '::ffff:a9fe:a9fe'];
    expect(others.filter((address) => some.allows(address))).toEqual(['11.0.0.1']);
  });
});

test('ranges are addresses, with or without a length', () => {
  expect(['10.0.0.0/8', '10.0.0.1', 'fd00::/8', '::1/128'].every(isRange)).toBe(true);
  expect(
    ['10.0.0.0/33', '10.0.0/8', 'fd00::/129', 'a/8', '10.0.0.0/8/8', '10.0.0.0/', ''].some(isRange),
  ).toBe(false);
});

test('hosts are named by themselves, or by how they end', () => {
  const isAllowed = allowedHosts(['API.example.com', '*.example.org', '127.0.0.1']);
  expect(['api.example.com', 'a.example.org', 'a.b.example.org', '127.0.0.1'].every(isAllowed)).toBe(true);
  const others = [
    'example.org',
    'xexample.org',
    'a.api.example.com',
    'example.com',
    'example.org.evil.test',
    '127.0.0.2',
  ];
  expect(others.some(isAllowed)).toBe(false);
  expect(['1.2.3.4', 'anything'].every(allowedHosts(['*']))).toBe(true);
  expect(['*', '*.a.b', 'a', 'a.b', '::1', 'a_b.c'].every(isHostPattern)).toBe(true);
  expect(['a.*', '*a.b', 'http://a', 'a:80', 'a.', '', '*.'].some(isHostPattern)).toBe(false);
});
