import { LineNormalizer } from '../../../packages/conversation/src/line-normalizer.ts';
import { HeaderEditor } from '../../../packages/esmtp/src/message/header-editor.ts';
import { HeaderReader } from '../../../packages/esmtp/src/message/header-reader.ts';
import { LineEndings, LineLengths } from '../../../packages/esmtp/src/message/line-checks.ts';
import { split } from '../splits.ts';
import { same, type Target } from '../target.ts';

/** All that reads a message's header on its way, which must not notice how the message is split. */
export const headers: Target = {
  name: 'headers',
  maxOctets: 250,
  seeds: [
    'Received: from a\r\nFrom: a@b\r\nDate: x\r\nMessage-ID: <x>\r\n\r\nbody Received:\r\n',
    'Bcc: a@b,\r\n c@d\r\nResent-Bcc: x\r\nSubject: y\r\n\r\nBcc: z\r\n',
    'no header at all\r\nReceived: x\r\n',
    ' folded first\r\nReceived : x\r\nreceived:\r\n',
    '\r\nbody',
  ],
  tokens: [
    'Received:',
    'received',
    'RECEIVED: ',
    'Bcc:',
    'resent-bcc :',
    'Date:',
    'Message-ID:',
    '\r\n',
    '\r\n ',
    '\r\n\r\n',
    '\n',
    '\r',
    ':',
  ],
  parse: (input) => readAll([input]),
  run(input) {
    const pieces = split(input);
    const inPieces = readAll(pieces);
    same(inPieces, readAll([Buffer.from(input)]), 'a header, however it is split');
    same(inPieces.received, receivedFields(input.toString('latin1')), 'Received: fields are counted');
    same(inPieces.normalized, input.toString('latin1').replace(/\r\n|\r|\n/g, '\r\n'), 'line ends are normalized');
    const removed = input.length - inPieces.withoutBcc.length;
    const added = inPieces.completed.length - input.length;
    return `${inPieces.received} ${inPieces.tooLong} ${inPieces.bare} ${Math.sign(removed)} ${added}`;
  },
};

interface Reading {
  readonly received: number;
  readonly tooLong: boolean;
  readonly bare: boolean;
  readonly withoutBcc: string;
  readonly completed: string;
  readonly both: string;
  readonly normalized: string;
}

function readAll(pieces: readonly Buffer[]): Reading {
  const reader = new HeaderReader();
  const lengths = new LineLengths(20);
  const endings = new LineEndings();
  const normalizer = new LineNormalizer();
  let normalized = '';
  for (const piece of pieces) {
    reader.read(piece);
    lengths.push(piece);
    normalized += latin1(normalizer.push(piece, endings.push(piece)));
  }
  endings.end();
  normalized += latin1(normalizer.end());
  return {
    received: reader.receivedFields,
    tooLong: lengths.isExceeded,
    bare: endings.hasBare,
    withoutBcc: edit(pieces, true, false),
    completed: edit(pieces, false, true),
    both: edit(pieces, true, true),
    normalized,
  };
}

function edit(pieces: readonly Buffer[], removeBcc: boolean, addsFields: boolean): string {
  const fields = { trace: Buffer.from('T: t\r\n'), date: () => 'Date: d', messageId: () => 'Message-ID: m' };
  const editor = new HeaderEditor(removeBcc, addsFields ? fields : undefined);
  let passed = '';
  for (const piece of pieces) {
    const octets = editor.read(Buffer.from(piece));
    const before = editor.holdsHeader && octets.length > 0 ? editor.hold(octets) : undefined;
    if (before !== undefined) passed += latin1(before);
    if (!editor.holdsHeader) passed += latin1(octets);
  }
  return passed + latin1(editor.finish());
}

/** Counts by a regular expression, up to the empty line. */
function receivedFields(message: string): number {
  const header = message.startsWith('\r\n') ? '' : (/^.*?\n(?=\r\n)/s.exec(message)?.[0] ?? message);
  return header.match(/(?<=^|\n)received:/gi)?.length ?? 0;
}

function latin1(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString('latin1');
}
