import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a Maildir is filled with. */
export interface MailboxFiles {
  readonly count: number;
  /** The octets of each message, with CRLF. */
  readonly octets: number;
  /** Adds Dovecot's `,W=` to the file names: the size as sent. Default: `,S=` alone. */
  readonly hasVirtualSize?: boolean;
}

/** The folders of a Maildir. */
const FOLDERS = ['cur', 'new', 'tmp'] as const;

/**
 * Writes a Maildir of messages that a client has seen, as Postern delivers them: with CRLF, and the
 * size of the file in its name.
 */
export function writeMailbox(folder: string, { count, octets, hasVirtualSize = false }: MailboxFiles): void {
  for (const name of FOLDERS) mkdirSync(join(folder, name), { recursive: true });
  const message = messageOf(octets);
  const sizes = hasVirtualSize ? `,S=${octets},W=${octets}` : `,S=${octets}`;
  for (let index = 0; index < count; index++) {
    const unique = `${FIRST_DELIVERY + index}.M${index}P1R${index.toString(16).padStart(16, '0')}.bench`;
    writeFileSync(join(folder, 'cur', `${unique}${sizes}:2,S`), message);
  }
}

/** Removes all files beside the folders of the messages: what a server has noted about them. */
export function removeIndexes(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (!FOLDERS.some((kept) => kept === name)) rmSync(join(folder, name), { recursive: true });
  }
}

/** Returns a message of this size with CRLF, in which some lines begin with a dot. */
export function messageOf(octets: number): Buffer {
  const lines = `${LINE.repeat(LINES_BEFORE_DOT)}.${LINE}`;
  const text = HEADER + lines.repeat(Math.ceil((octets - HEADER.length) / lines.length));
  return Buffer.from(`${text.slice(0, octets - 2)}\r\n`, 'latin1');
}

const HEADER = [
  'Return-Path: <ann@example.com>',
  'From: Ann <ann@example.com>',
  'To: Joe <joe@example.com>',
  'Subject: A message of the bench',
  'Date: Thu, 01 Jan 2026 00:00:00 +0000',
  'Message-ID: <1@bench.example.com>',
  'MIME-Version: 1.0',
  'Content-Type: text/plain; charset=us-ascii',
  '\r\n',
].join('\r\n');

const LINE = 'The quick brown fox jumps over the lazy dog, and the dog does not mind it.\r\n';

/** One line of a thousand begins with a dot, so that a server has to look for it. */
const LINES_BEFORE_DOT = 999;

/** Seconds since 1970: 2026-01-01. */
const FIRST_DELIVERY = 1_767_225_600;
