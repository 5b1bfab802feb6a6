/**
 * Tells the storage of the handlers that this process offers, one telling at a time: two that are under way at once may be carried out in reverse, and the older one would stand. A change
 * meanwhile is told by one more when the last is through.
 */
export class HandlerAnnouncement {
  private isChanged = false;
  private telling: Promise<void> | null = null;

  constructor(
    /** Tells what is offered when it is called. Must not reject. */
    private readonly tell: () => Promise<void>,
  ) {}

  /** Something has changed. */
  note(): void {
    this.isChanged = true;
    this.telling ??= this.tellAll();
  }

  private async tellAll(): Promise<void> {
    while (this.isChanged) {
      this.isChanged = false;
      await this.tell();
    }
    this.telling = null;
  }
}
