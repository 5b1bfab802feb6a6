import type { CancelTimer, Clock } from '../index.js';
import type { Answer } from './route.js';

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
