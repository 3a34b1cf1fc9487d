import { isAddressLiteral, isDomain } from '@postern/esmtp';

/** True for a name that EHLO can say as it is: a domain in ASCII, or an address literal. */
export function isEhloName(name: string): boolean {
  return isAddressLiteral(name) || (isDomain(name) && /^[!-~]+$/.test(name));
}
