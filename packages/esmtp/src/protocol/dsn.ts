import { isAscii } from './characters.ts';
import { BAD_VALUE, type Extension } from './extension.ts';
import type { Notify, Occasion } from './parameters.ts';
import { isEnvelopeId, isOriginalRecipient } from './xtext.ts';

/**
 * Delivery status notifications (RFC 3461): reads the sender's requests, and leaves them to the
 * delivery.
 */
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
      read(value, parameters, { isAnonymous }) {
        const notify = parseNotify(value);
        if (notify === undefined) return BAD_VALUE;
        parameters.notify = isAnonymous ? withoutSuccess(notify) : notify;
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
 * Removes SUCCESS from an anonymous client's request. The sender's address is not proved, so a
 * notification of success would send mail of the client's choice to any address.
 */
function withoutSuccess(notify: Notify): Notify {
  if (notify === 'NEVER') return notify;
  const others = notify.filter((occasion) => occasion !== 'SUCCESS');
  return others.length === 0 ? 'NEVER' : others;
}

/**
 * Returns undefined for a value that is neither NEVER alone nor a list of occasions (RFC 3461
 * §4.1).
 */
function parseNotify(value = ''): Notify | undefined {
  const words = value.toUpperCase();
  if (words === 'NEVER') return words;
  const list = words.split(',');
  return list.every(isOccasion) ? [...new Set(list)] : undefined;
}

function isOccasion(word: string): word is Occasion {
  return word === 'SUCCESS' || word === 'FAILURE' || word === 'DELAY';
}
