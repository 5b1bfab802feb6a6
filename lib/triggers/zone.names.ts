/** IANA names without a slash that stand for one place or for UTC; three-letter abbreviations are not among them. */
export const placeNames: readonly string[] = [
  'UTC', 'GMT', 'UCT', 'Zulu', 'Universal', 'Greenwich', 'Cuba', 'Egypt', 'Eire', 'GB', 'GB-Eire', 'Hongkong', 'Iceland',
  'Iran', 'Israel', 'Jamaica', 'Japan', 'Kwajalein', 'Libya', 'NZ', 'NZ-CHAT', 'Navajo', 'PRC', 'Poland', 'Portugal',
  'ROC', 'ROK', 'Singapore', 'Turkey', 'W-SU', 'EST5EDT', 'CST6CDT', 'MST7MDT', 'PST8PDT',
]; // prettier-ignore

/** The first part of every other name; what else `Intl` knows ("SystemV/EST5") is not IANA's. */
export const areas: ReadonlySet<string> = new Set([
  'africa', 'america', 'antarctica', 'arctic', 'asia', 'atlantic', 'australia', 'brazil', 'canada', 'chile', 'etc',
  'europe', 'indian', 'mexico', 'pacific', 'us',
]); // prettier-ignore

/** Names that users write and `Intl.supportedValuesOf` leaves out, for suggestions. */
export const commonAliases: readonly string[] = [
  'America/Argentina/Buenos_Aires', 'America/Buenos_Aires', 'America/Indianapolis', 'Asia/Calcutta', 'Asia/Ho_Chi_Minh',
  'Asia/Kathmandu', 'Asia/Kolkata', 'Asia/Rangoon', 'Asia/Saigon', 'Asia/Yangon', 'Atlantic/Faroe', 'Etc/UTC',
  'Europe/Kiev', 'Europe/Kyiv', 'US/Alaska', 'US/Arizona', 'US/Central', 'US/Eastern', 'US/Hawaii', 'US/Mountain',
  'US/Pacific',
]; // prettier-ignore

/** What an abbreviation may have meant. Most stand for several zones, which is why none is accepted. */
export const abbreviations: ReadonlyMap<string, string> = new Map([
  ['EST', 'America/New_York'], ['EDT', 'America/New_York'], ['ET', 'America/New_York'], ['CST', 'America/Chicago'],
  ['CDT', 'America/Chicago'], ['CT', 'America/Chicago'], ['MST', 'America/Denver'], ['MDT', 'America/Denver'],
  ['PST', 'America/Los_Angeles'], ['PDT', 'America/Los_Angeles'], ['PT', 'America/Los_Angeles'],
  ['AKST', 'America/Anchorage'], ['HST', 'Pacific/Honolulu'], ['BRT', 'America/Sao_Paulo'], ['WET', 'Europe/Lisbon'],
  ['WEST', 'Europe/Lisbon'], ['BST', 'Europe/London'], ['CET', 'Europe/Berlin'], ['CEST', 'Europe/Berlin'],
  ['MET', 'Europe/Berlin'], ['EET', 'Europe/Athens'], ['EEST', 'Europe/Athens'], ['MSK', 'Europe/Moscow'],
  ['IST', 'Asia/Kolkata'], ['SGT', 'Asia/Singapore'], ['HKT', 'Asia/Hong_Kong'], ['KST', 'Asia/Seoul'],
  ['JST', 'Asia/Tokyo'], ['AWST', 'Australia/Perth'], ['AEST', 'Australia/Sydney'], ['AEDT', 'Australia/Sydney'],
  ['NZST', 'Pacific/Auckland'], ['NZDT', 'Pacific/Auckland'], ['Z', 'UTC'],
]); // prettier-ignore
