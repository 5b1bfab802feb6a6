import { expect, test } from 'vitest';
import { withoutPasswords } from '../../lib/events/without.passwords.js';

test.each([
  ['postgres://app:s3cretpw@db/shop', 'postgres://app:***@db/shop'],
  ['https://vault/shop?token=s3cretpw said 403', 'https://vault/shop?token=*** said 403'],
  ['https://vault/shop?a=1&access_token=s3cretpw&b=2', 'https://vault/shop?a=1&access_token=***&b=2'],
  ['https://app/#id_token=s3cretpw', 'https://app/#id_token=***'],
  ['https://vault/shop?api-key=s3cretpw', 'https://vault/shop?api-key=***'],
  ['https://vault/shop?client_secret=s3cretpw', 'https://vault/shop?client_secret=***'],
  ['https://blob/shop?sv=1&sig=s3cretpw', 'https://blob/shop?sv=1&sig=***'],
  ['https://blob/shop?X-Amz-Signature=s3cretpw', 'https://blob/shop?X-Amz-Signature=***'],
  ["{ Authorization: 'Bearer s3cretpw' }", "{ Authorization: 'Bearer ***' }"],
  ['{"authorization":"Basic czNjcmV0cHc="}', '{"authorization":"Basic ***"}'],
  ['authorization: token s3cretpw', 'authorization: token ***'],
  ['refused Bearer s3cretpw0123 as too old', 'refused Bearer *** as too old'],
  ['refused {"token":"s3cretpw"}', 'refused {"token":\'***\'}'],
  ['VAULT_TOKEN=s3cretpw', 'VAULT_TOKEN=***'],
  // What is hidden already, within a sentence.
  ['It has ended (late password=***). Leave that out.', 'It has ended (late password=***). Leave that out.'],
  ['DB_PASSWORD=***)s3cretpw', 'DB_PASSWORD=***'],
  ['DB_PASSWORD=***s3cretpw, as [token=***].', 'DB_PASSWORD=***, as [token=***].'],
])('of %s nothing is left but %s', (given, shown) => expect(withoutPasswords(given)).toBe(shown));

test.each([
  'https://h:5432/shop?page=2&design=3',
  'Bearer authentication failed',
  'The authorization: Basic or Bearer is needed',
  'The token is missing',
  'postgres://db.internal:5432/shop',
])('%s holds no secret, and stays as it is', (text) => expect(withoutPasswords(text)).toBe(text));
