import {
  add,
  again,
  atMost,
  type Code,
  equal,
  get,
  type Instance,
  i32,
  instantiate,
  leave,
  loadOctet,
  loop,
  not,
  or,
  set,
  storeWord,
  trailingZeros,
  vector,
  when,
} from './wasm.ts';

/**
 * Takes the dots off the bulk of a message, 32 octets at a time: five times as fast as a loop in JavaScript, and faster than a search
 * for the end by `indexOf`. It stops before a dot at the beginning of a line that a CR or LF follows, and near the end of what was
 * loaded: such places are for a loop that looks at every octet.
 */
export class DotKernel {
  /** How many octets one `load` takes. */
  static readonly capacity = 65_536;
  readonly #run: (from: number, end: number, to: number) => void;
  readonly #octets: Uint8Array;
  readonly #results: Int32Array;
  #length = 0;

  /** Null where there is no WebAssembly with vectors. */
  static create(): DotKernel | null {
    try {
      return new DotKernel(instantiate(3, LOCALS, PAGES, BODY));
    } catch {
      return null;
    }
  }

  private constructor({ exports: { memory, run } }: Instance) {
    const { buffer } = memory;
    this.#run = run;
    this.#octets = new Uint8Array(buffer);
    this.#results = new Int32Array(buffer, 0, 3);
  }

  load(octets: Uint8Array): void {
    this.#octets.set(octets, INPUT);
    this.#length = octets.length;
  }

  /** Runs from that octet of what was loaded; `before` is what it follows, the last octet or two of it. Returns how many octets came out. */
  run(from: number, before: readonly [number, number]): number {
    // The octet before runs along, so that the first one is the second of a pair like every other.
    const at = INPUT + from - 1;
    this.#octets[at - 1] = before[0];
    this.#octets[at] = before[1];
    this.#run(at, INPUT + this.#length, OUTPUT - 1);
    return (this.#results[OUT_AT] as number) - OUTPUT;
  }

  /** Where the last run stopped. */
  get stopped(): number {
    return (this.#results[IN_AT] as number) - INPUT;
  }

  /** True if the last run met a CR or LF that is not part of a CRLF. */
  get bareLineEndings(): boolean {
    return this.#results[BARE_AT] === 1;
  }

  /** The octet loaded, or run from, at this place, which may be one or two before the first. */
  octet(at: number): number {
    return this.#octets[INPUT + at] as number;
  }

  /** Copies what came out of the last run. */
  copy(octets: number, target: Uint8Array, at: number): void {
    target.set(this.#octets.subarray(OUTPUT, OUTPUT + octets), at);
  }
}

/** Where things lie in the memory. The results come first: words. */
const IN_AT = 0;
const OUT_AT = 1;
const BARE_AT = 2;
const INPUT = 64;
const OUTPUT = INPUT + DotKernel.capacity + 64;
const PAGES = 3;

/** Parameters of the function, then its locals: addresses, a flag, vectors. */
const [FROM, END, TO, STEP, BARE, HERE, NEXT, FOUND, MORE_FOUND, CRS, LFS, DOTS] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,
];
const LOCALS = { i32: 2, v128: 7 };

const CR = 0x0d;
const LF = 0x0a;
const DOT = 0x2e;

/** Copies sixteen octets, and finds the pairs that matter: a CR or LF that is not part of a CRLF, and LF with a dot. */
const examine = (offset: number): Code => [
  ...set(HERE, vector.load(get(FROM), offset)),
  ...set(NEXT, vector.load(get(FROM), offset + 1)),
  ...vector.store(get(TO), offset, get(HERE)),
  ...vector.or(
    vector.xor(vector.equal(get(HERE), get(CRS)), vector.equal(get(NEXT), get(LFS))),
    vector.and(vector.equal(get(HERE), get(LFS)), vector.equal(get(NEXT), get(DOTS))),
  ),
];

const advance = (step: Code): readonly Code[] => [set(FROM, add(get(FROM), step)), set(TO, add(get(TO), step))];

const stop: readonly Code[] = [
  storeWord(IN_AT * 4, get(FROM)),
  storeWord(OUT_AT * 4, get(TO)),
  storeWord(BARE_AT * 4, get(BARE)),
  leave,
];

const BODY: readonly Code[] = [
  set(CRS, vector.splat(CR)),
  set(LFS, vector.splat(LF)),
  set(DOTS, vector.splat(DOT)),
  loop(
    // Besides the octets of the pairs themselves, one more is looked at.
    when(not(atMost(add(get(FROM), i32(18)), get(END))), stop),
    when(
      atMost(add(get(FROM), i32(33)), get(END)),
      [
        set(FOUND, examine(0)),
        set(MORE_FOUND, examine(16)),
        when(not(vector.anyTrue(vector.or(get(FOUND), get(MORE_FOUND)))), [...advance(i32(32)), again(2)]),
      ],
      [set(FOUND, examine(0))],
    ),
    when(not(vector.anyTrue(get(FOUND))), [...advance(i32(16)), again(1)]),
    // To the second octet of the first pair found.
    set(STEP, add(trailingZeros(vector.bitmask(get(FOUND))), i32(1))),
    ...advance(get(STEP)),
    when(equal(loadOctet(get(FROM)), i32(DOT)), [
      when(equal(loadOctet(add(get(FROM), i32(-1))), i32(LF)), [
        // Only CRLF ends a line. After a bare LF, which has been noticed before, the dot is like any other octet.
        when(not(equal(loadOctet(add(get(FROM), i32(-2))), i32(CR))), [again(3)]),
        set(STEP, loadOctet(get(FROM), 1)),
        when(or(equal(get(STEP), i32(CR)), equal(get(STEP), i32(LF))), stop),
        set(FROM, add(get(FROM), i32(1))),
        again(2),
      ]),
    ]),
    set(BARE, i32(1)),
    again(0),
  ),
];
