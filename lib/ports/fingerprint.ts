import { createHash } from 'node:crypto';
import { errorParts } from '../model/error.text.js';
import { isFailure, type Outcome } from '../model/verdict.js';

/** Of runs that were lost with their workers: those have thrown nothing. */
export const lostFingerprint = '76f75e6129fe3013';

/** What a fingerprint looks like. */
export const fingerprintPattern = /^[0-9a-f]{16}$/;

const longestText = 2_000;
const quoted = /"[^"\n]*"|'[^'\n]*'|`[^`\n]*`/g;
const idLike = /[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|\b(?=[0-9a-z]*\d)[0-9a-z]{12,}\b/gi;
const number = /\d+/g;

/** 16 hex digits that are the same where these texts are. */
export function fingerprintOf(...texts: readonly string[]): string {
  return createHash('sha256').update(texts.join('\n')).digest('hex').slice(0, 16);
}

/** Of an error that is known by its text only, such as that of a workflow. */
export function fingerprintOfText(text: string): string {
  return fingerprintOf(withoutParticulars(errorParts(text).message));
}

/** What an attempt that has ended is stored with; null: it has not failed, or nobody knows by what. */
export function storedFingerprint(ended: {
  outcome: Outcome;
  error?: string | null;
  fingerprint?: string | null;
}): string | null {
  const { outcome, error = null, fingerprint = null } = ended;
  if (outcome === 'lost') return lostFingerprint;
  if (!isFailure(outcome)) return null;
  return fingerprint ?? (error === null ? null : fingerprintOfText(error));
}

/** A message without what differs each time: quoted texts, ids and numbers. */
export function withoutParticulars(message: string): string {
  return message.slice(0, longestText).replace(quoted, '""').replace(idLike, '#').replace(number, '#');
}
