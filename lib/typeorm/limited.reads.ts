import { StorageError } from '../model/errors.js';
import { CallScope } from '../ports/call.scope.js';
import { sqlStateOf } from './sql.errors.js';

const cancelled = '57014';

/** How long the reads of some work may take. Who asks for no limit pays nothing for it. */
export class LimitedReads {
  private readonly limits = new CallScope<number>();
  private works = 0;

  async within<T>(limitMs: number, work: () => Promise<T>): Promise<T> {
    this.works++;
    try {
      return await this.limits.run(limitMs, work);
    } finally {
      this.works--;
    }
  }

  /** In ms, of what is called now; null: as long as all else. */
  get limitMs(): number | null {
    return this.works === 0 ? null : (this.limits.get() ?? null);
  }

  /** The same error, where it is not that of the limit. */
  told(error: unknown, limitMs: number): unknown {
    if (sqlStateOf(error) !== cancelled) return error;
    return new StorageError(
      `PostgreSQL did not answer within the ${limitMs} ms that this read may take. Ask for less, such as fewer rows or one namespace, or let it take longer (readTimeout).`,
      { cause: error },
    );
  }
}
