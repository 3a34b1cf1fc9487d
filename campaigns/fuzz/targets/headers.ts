import { LineNormalizer } from '../../../packages/conversation/src/line-normalizer.ts';
import { BccRemoval } from '../../../packages/esmtp/src/message/bcc-removal.ts';
import { HeaderCompletion } from '../../../packages/esmtp/src/message/header-completion.ts';
import { HeaderScan, LineLengths } from '../../../packages/esmtp/src/message/header-scan.ts';
import { LineEndings } from '../../../packages/esmtp/src/message/line-endings.ts';
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
    same(inPieces.received, maxReceivedFields(input.toString('latin1')), 'Received: fields are counted');
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
  readonly normalized: string;
}

function readAll(pieces: readonly Buffer[]): Reading {
  const scan = new HeaderScan();
  const lengths = new LineLengths(20);
  const endings = new LineEndings();
  const normalizer = new LineNormalizer();
  let normalized = '';
  for (const piece of pieces) {
    scan.feed(piece);
    lengths.feed(piece);
    normalized += latin1(normalizer.push(piece, endings.feed(piece)));
  }
  endings.end();
  normalized += latin1(normalizer.end());
  return {
    received: scan.maxReceivedFields,
    tooLong: lengths.exceeded,
    bare: endings.bare,
    withoutBcc: removeBcc(pieces),
    completed: complete(pieces),
    normalized,
  };
}

function removeBcc(pieces: readonly Buffer[]): string {
  const removal = new BccRemoval();
  const kept = pieces.map((piece) => latin1(removal.push(Buffer.from(piece))));
  return kept.join('') + latin1(removal.end());
}

function complete(pieces: readonly Buffer[]): string {
  const completion = new HeaderCompletion({
    trace: 'T: t\r\n',
    date: () => 'Date: d',
    messageId: () => 'Message-ID: m',
  });
  let passed = '';
  let isKnown = false;
  for (const piece of pieces) {
    const before: Uint8Array | undefined = isKnown ? undefined : completion.feed(piece);
    isKnown ||= before !== undefined;
    if (before !== undefined) passed += latin1(before);
    if (isKnown) passed += latin1(piece);
  }
  return isKnown ? passed : passed + latin1(completion.end());
}

/** Counts by a regular expression, up to the line that ends the header: one that begins with CR. */
function maxReceivedFields(message: string): number {
  const header = message.startsWith('\r') ? '' : (/^.*?\n(?=\r)/s.exec(message)?.[0] ?? message);
  return header.match(/(?<=^|\n)received:/gi)?.length ?? 0;
}

function latin1(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString('latin1');
}
