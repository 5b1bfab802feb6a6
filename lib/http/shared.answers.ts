import { createHash } from 'node:crypto';
import type { CancelTimer, Clock } from '../index.js';
import type { Answer, Call, Route } from './route.js';

/** More questions are not remembered: the oldest goes. */
const mostAnswers = 200;

interface Look {
  answer: Promise<Answer>;
  cancel: CancelTimer;
}

/** Many who ask the same within a short time get one answer: the storage is asked once for all of them, and not at all while nobody asks. */
export class SharedAnswers {
  private readonly looks = new Map<string, Look>();

  /** `ageMs`: how long after its beginning a look is shared. */
  constructor(
    private readonly clock: Clock,
    private readonly ageMs: number,
  ) {}

  /** `question`: all that the answer depends on. A look that fails is told to those who wait for it, and then forgotten. */
  of(question: string, look: () => Promise<Answer>): Promise<Answer> {
    const known = this.looks.get(question);
    if (known !== undefined) return known.answer;
    for (const [oldest] of this.looks) {
      if (this.looks.size < mostAnswers) break;
      this.forget(oldest);
    }
    const answer = look();
    const own: Look = {
      answer,
      cancel: this.clock.setTimer(this.ageMs, () => this.forget(question, own)),
    };
    this.looks.set(question, own);
    answer.catch(() => this.forget(question, own));
    return answer;
  }

  /** Something has changed: whoever asks from now on looks anew. */
  clear(): void {
    for (const question of this.looks.keys()) this.forget(question);
  }

  private forget(question: string, only?: Look): void {
    const known = this.looks.get(question);
    if (known === undefined || (only !== undefined && known !== only)) return;
    known.cancel();
    this.looks.delete(question);
  }
}

/** Of the text of an answer. Weak: the platform may compress what is sent. */
export function etagOf(text: string): string {
  return `W/"${createHash('sha256').update(text).digest('base64url')}"`;
}

/** Whether the client has it already, by its `If-None-Match`. */
export function isKnown(etag: string, ifNoneMatch: string | null): boolean {
  return (ifNoneMatch ?? '').split(',').some((each) => each.trim() === etag || each.trim() === '*');
}

/** All that the answer depends on but for who asks, as what is redacted for them is so for each anew. */
export function questionOf({ name, path }: Route, { tenant, query }: Call): string {
  const conditions = Object.entries(query).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([name, path, tenant, conditions]);
}
