import { watch, type FSWatcher } from 'node:fs';
import { stat } from 'node:fs/promises';

/** Calls `onHint` soon after something in the folder has changed, where the system tells of it. Nothing depends on it: hints come late, twice or not at all. */
export class FolderHints {
  private watcher: FSWatcher | null = null;
  /** Of the folder that is watched: another one may take its place. */
  private identity = '';

  constructor(
    private readonly directory: string,
    private readonly onHint: () => void,
  ) {}

  /** Watches the folder that is there now. Never rejects. */
  async follow(): Promise<void> {
    const identity = await stat(this.directory).then(
      ({ dev, ino }) => `${dev}:${ino}`,
      () => '',
    );
    if (identity === this.identity && this.watcher !== null) return;
    this.end();
    if (identity === '') return;
    try {
      this.watcher = watch(this.directory, { persistent: false }, () => this.onHint());
      this.watcher.on('error', () => this.end());
      this.identity = identity;
    } catch {
      // The system has no more of them, or none for this folder.
    }
  }

  end(): void {
    this.watcher?.close();
    this.watcher = null;
    this.identity = '';
  }
}
