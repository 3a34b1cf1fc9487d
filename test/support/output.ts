/** Collects the output of a program and waits for text in it. */
export class Output {
  #text = '';
  #ended: string | undefined;
  readonly #waiting = new Set<() => void>();

  /** All text so far. */
  get text(): string {
    return this.#text;
  }

  append(text: string): void {
    this.#text += text;
    this.#wake();
  }

  /** Marks the end of the output; `how` is for the error of {@link until}: `ended with 2`. */
  end(how: string): void {
    this.#ended ??= how;
    this.#wake();
  }

  /**
   * Resolves as soon as `holds()` is true. Rejects with the whole output if the output ends before.
   */
  async until(holds: () => boolean, what: string): Promise<void> {
    while (!holds()) {
      if (this.#ended !== undefined) throw new Error(`${this.#ended} before it ${what}:\n${this.#text}`);
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  /**
   * Resolves as soon as the output has `times` matches of the pattern. Rejects if the output ends
   * before.
   */
  async said(pattern: RegExp, times = 1): Promise<void> {
    const all = new RegExp(pattern, `${pattern.flags.replace('g', '')}g`);
    await this.until(() => [...this.#text.matchAll(all)].length >= times, `said ${pattern}`);
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}
