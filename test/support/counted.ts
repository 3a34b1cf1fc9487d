/** An input that counts how often it is read: the work of a scanner, without a clock. */
export interface Counted<T> {
  readonly input: T;
  /** How many elements were read so far. */
  readonly reads: () => number;
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
