// What was worked out is kept until something that it depends on is another.

export class Memo {
  private readonly held = new Map<string, { on: readonly unknown[]; value: unknown }>();

  /** The value by that name: the one that is held, if it was made of the very same things. */
  keep<T>(name: string, on: readonly unknown[], make: () => T): T {
    const known = this.held.get(name);
    if (known && known.on.length === on.length && known.on.every((part, i) => Object.is(part, on[i]))) return known.value as T;
    const value = make();
    this.held.set(name, { on, value });
    return value;
  }
}
