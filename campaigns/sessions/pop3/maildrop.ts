import { mkdir, readdir, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Random } from '../../fuzz/random.ts';
import { Fault } from '../protocol.ts';

/** A message in a maildrop, as a POP3 server must send it. */
export interface ExpectedMessage {
  /** The name of its file, without flags. */
  readonly name: string;
  /** All its octets with CRLF, without dot stuffing. */
  readonly text: string;
  /** The unique id that the server has shown. Undefined before the first UIDL. */
  uid: string | undefined;
}

/** The Maildir of one user. It lasts as long as the campaign: its unique ids must stay the same. */
export class Maildrop {
  readonly user: string;
  /** In the order of their arrival. */
  messages: ExpectedMessage[] = [];
  readonly #folder: string;
  readonly #forgotten = new Set<string>();
  #count = 0;

  constructor(folder: string, user: string) {
    this.user = user;
    this.#folder = folder;
  }

  /** Delivers messages until some number is there, from 0 to 5. Empties a Maildir at times. */
  async fill(random: Random): Promise<void> {
    for (const name of ['tmp', 'new', 'cur']) await mkdir(join(this.#folder, name), { recursive: true });
    if (random.below(20) === 0) await this.#empty();
    const count = random.below(6);
    while (this.messages.length < count) {
      const stored = random.pick(TEXTS);
      const name = `${1_700_000_000 + this.#count++}.M0P1Q1.example${random.pick(SIZES)}`;
      await writeFile(join(this.#folder, 'new', name), Buffer.from(stored, 'latin1'));
      this.messages.push({ name, text: sentText(stored), uid: undefined });
    }
  }

  /**
   * The session has ended. Expects that messages are gone only if `mayBeGone` has their index, and
   * all of these if `isSure`.
   *
   * @throws {Fault} A message is lost, is there twice, or has returned.
   */
  async settle(mayBeGone: ReadonlySet<number>, isSure: boolean): Promise<void> {
    const files = [...(await readdir(join(this.#folder, 'new'))), ...(await readdir(join(this.#folder, 'cur')))];
    const names = files.map(baseName);
    if (new Set(names).size < names.length) throw new Fault(`a message is there twice: ${files.join(' ')}`);
    const there = new Set(names);
    const kept = this.messages.filter(({ name }, index) => {
      if (!there.delete(name) && !mayBeGone.has(index)) throw new Fault(`message ${index + 1} is lost`);
      return !(isSure && mayBeGone.has(index)) && names.includes(name);
    });
    const returned = [...there].filter((name) => this.#forgotten.has(name));
    if (there.size > 0)
      throw new Fault(`unknown messages: ${[...there].join(' ')}, ${returned.length} of them deleted`);
    for (const { name } of this.messages) if (!kept.some((one) => one.name === name)) this.#forgotten.add(name);
    if (isSure && kept.length !== names.length) throw new Fault('a deleted message is still there');
    this.messages = kept;
  }

  async #empty(): Promise<void> {
    for (const name of ['new', 'cur']) {
      for (const file of await readdir(join(this.#folder, name))) await unlink(join(this.#folder, name, file));
    }
    this.messages = [];
  }
}

function baseName(file: string): string {
  return file.replace(/:.*$/s, '');
}

/** Returns the octets that a server sends: each line ends with CRLF, the last one too. */
function sentText(stored: string): string {
  const text = stored.replace(/\r?\n/g, '\r\n');
  return text === '' || text.endsWith('\r\n') ? text : `${text}\r\n`;
}

/** What files hold. Deliveries store either line ending. */
const TEXTS = [
  'Subject: one\n\nHello\n',
  'Subject: two\r\n\r\nHello\r\nagain\r\n',
  'Subject: dots\n\n.\n..\n.x\nx.\n',
  'Subject: no end\n\nlast line',
  'Subject: header only\n',
  '\nbody only\n',
  '\n',
  `Subject: long\n\n${'x'.repeat(3_000)}\n`,
  `Subject: lines\n\n${'0123456789\n'.repeat(2_000)}`,
  'Subject: octets\n\n\0\x80\xff\xc3\xa4\n',
  'Subject: mixed\r\n\nLF\nCRLF\r\n\n\r\n.\r\n.\n',
];
/** Sizes in file names, most of them wrong: a server sends what the file holds. */
const SIZES = ['', '', ',S=5', ',S=1000,W=5', ',W=99999999'];
