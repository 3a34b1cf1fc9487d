/** An input that counts its reads. The count measures the work of a scanner without a clock. */
export interface Counted<T> {
  readonly input: T;
  /** Returns the number of elements read so far. */
  readonly reads: () => number;
}

/** Returns a text that counts each character that is read or copied. */
export function countedCharacters(text: string): Counted<Pick<string, 'length' | 'charCodeAt' | 'slice'>> {
  let reads = 0;
  const input = {
    length: text.length,
    charCodeAt(index: number): number {
      reads++;
      return text.charCodeAt(index);
    },
    slice(from: number, to?: number): string {
      const copy = text.slice(from, to);
      reads += copy.length;
      return copy;
    },
  };
  return { input, reads: () => reads };
}

/** Returns octets that count each read. */
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
