/** An input that counts how often it is read: the work of a scanner, without a clock. */
export interface Counted<T> {
  readonly input: T;
  /** How many elements were read so far. */
  readonly reads: () => number;
}

/** A text of which each character that is read or copied counts. */
export function countedCharacters(text: string): Counted<Pick<string, 'length' | 'charCodeAt' | 'slice'>> {
  let reads = 0;
  const input = {
    length: text.length,
    charCodeAt(at: number): number {
      reads++;
      return text.charCodeAt(at);
    },
    slice(from: number, to?: number): string {
      const copy = text.slice(from, to);
      reads += copy.length;
      return copy;
    },
  };
  return { input, reads: () => reads };
}

/** Octets of which each read counts. */
export function countedOctets(octets: Uint8Array): Counted<ArrayLike<number>> {
  let reads = 0;
  const input = new Proxy(octets, {
    get(target, key) {
      if (typeof key === 'string' && key !== 'length') reads++;
      return Reflect.get(target, key, target);
    },
  });
  return { input, reads: () => reads };
}
