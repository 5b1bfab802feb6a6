/** A table that tells which of its keys were set or deleted. */
export class NotedMap<T> extends Map<string, T> {
  constructor(private readonly tell: (key: string) => void) {
    super();
  }

  override set(key: string, value: T): this {
    this.tell(key);
    return super.set(key, value);
  }

  override delete(key: string): boolean {
    if (!super.delete(key)) return false;
    this.tell(key);
    return true;
  }
}
