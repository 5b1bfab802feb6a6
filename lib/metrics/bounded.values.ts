/** What stands for all values that there is no room for. */
export const other = '_other';

/** The values of a label: the first ones keep their names, so that no input makes series without end. */
export class BoundedValues {
  private readonly known = new Set<string>();

  constructor(
    private readonly most: number,
    private readonly onDropped: () => void,
  ) {}

  of(value: string): string {
    if (this.known.has(value)) return value;
    if (this.known.size < this.most) {
      this.known.add(value);
      return value;
    }
    this.onDropped();
    return other;
  }
}
