import { isAscii } from './ascii.ts';
import { BAD_VALUE, type Extension } from './extension.ts';
import type { Notify, Occasion } from './parameters.ts';
import { hasUnsafeCharacter } from './unsafe-characters.ts';
import { decodeXtext } from './xtext.ts';

/** Delivery status notifications (RFC 3461): what the sender asks for is kept for the delivery, and no reason to refuse anything. */
export const dsn: Extension = {
  keyword: 'DSN',
  advertise: () => 'DSN',
  mail: [
    {
      keyword: 'RET',
      read(value, parameters) {
        const ret = value?.toUpperCase();
        if (ret !== 'FULL' && ret !== 'HDRS') return BAD_VALUE;
        parameters.ret = ret;
        return undefined;
      },
    },
    {
      keyword: 'ENVID',
      read(value, parameters) {
        if (value === undefined || !isEnvelopeId(value)) return BAD_VALUE;
        parameters.envid = value;
        return undefined;
      },
    },
  ],
  rcpt: [
    {
      keyword: 'NOTIFY',
      read(value, parameters, { isStranger }) {
        const notify = parseNotify(value);
        if (notify === undefined) return BAD_VALUE;
        parameters.notify = isStranger ? withoutSuccess(notify) : notify;
        return undefined;
      },
    },
    {
      keyword: 'ORCPT',
      read(value, parameters, { disabledExtensions }) {
        if (value === undefined || !isOriginalRecipient(value)) return BAD_VALUE;
        if (disabledExtensions.has('SMTPUTF8') && !isAscii(value)) return BAD_VALUE;
        parameters.orcpt = value;
        return undefined;
      },
    },
  ],
};

/**
 * Returns what a stranger may ask for: the sender's address is not proved, and a notification of success
 * would send mail of the stranger's choice to anybody.
 */
function withoutSuccess(notify: Notify): Notify {
  if (notify === 'NEVER') return notify;
  const others = notify.filter((occasion) => occasion !== 'SUCCESS');
  return others.length === 0 ? 'NEVER' : others;
}

/** True for the value of ENVID (RFC 3461 §4.4): xtext, of printable characters. */
export function isEnvelopeId(value: string): boolean {
  return isPrintableXtext(value);
}

/** True for the value of ORCPT: a type, and an address as xtext (RFC 3461 §4.2) or, for the type `utf-8`, as RFC 6533 §3 has it. */
export function isOriginalRecipient(value: string): boolean {
  const [, type = '', address = ''] = ORIGINAL_RECIPIENT.exec(value) ?? [];
  if (type.toLowerCase() === 'utf-8') return UTF8_ADDRESS.test(address) && !hasUnsafeCharacter(decoded(address));
  return type !== '' && isPrintableXtext(address);
}

/** The original recipient for a server that takes ASCII only (RFC 6533 §3). */
export function inAscii(originalRecipient: string): string {
  return originalRecipient.replace(
    NOT_ASCII,
    (character) => `\\x{${character.codePointAt(0)?.toString(16).toUpperCase()}}`,
  );
}

/** The original recipient where UTF-8 may stand: what is no address then is left as it is (RFC 6533 §3). */
export function inUtf8(originalRecipient: string): string {
  const text = decoded(originalRecipient);
  return CONTROLS.test(text) || hasUnsafeCharacter(text) ? originalRecipient : text;
}

/** The text with the characters that its `\x{HEXPOINT}` stand for (RFC 6533 §3). */
function decoded(text: string): string {
  return text.replace(/\\x\{([\da-f]{1,6})\}/gi, (_, hex: string) => String.fromCodePoint(Number.parseInt(hex, 16)));
}

/** Undefined if it is neither NEVER, alone, nor a list. */
function parseNotify(value = ''): Notify | undefined {
  const words = value.toUpperCase();
  if (words === 'NEVER') return words;
  const list = words.split(',');
  return list.every(isOccasion) ? [...new Set(list)] : undefined;
}

function isOccasion(word: string): word is Occasion {
  return word === 'SUCCESS' || word === 'FAILURE' || word === 'DELAY';
}

function isPrintableXtext(value: string): boolean {
  const text = decodeXtext(value);
  return text !== undefined && /^[\t -~]*$/.test(text);
}

/** The type is an atom (RFC 822 §3.3). */
const ORIGINAL_RECIPIENT = /^([!#$%&'*+\-/0-9?A-Z^_`a-z{|}~]+);(.*)$/s;

const HEXPOINT = [
  '[01][1-9]|10|20|2B|3D|7F|5C|[89A-F][\\dA-F]',
  '[1-9A-F][\\dA-F]{2}',
  '[1-9A-CEF][\\dA-F]{3}|D[0-7][\\dA-F]{2}',
  '[1-9A-F][\\dA-F]{4}',
  '10[\\dA-F]{4}',
].join('|');
const UTF8_ADDRESS = new RegExp(`^(?:[!-*,-<>-[\\]-~\\u0080-\\u{10ffff}]|\\\\x\\{(?:${HEXPOINT})\\})+$`, 'iu');
const NOT_ASCII = /[^\0-\x7f]/gu;
const CONTROLS = /[\0-\x1f\x7f]/;
