import { type OfferObstacle, ProxySession, type StringRules } from '@postern/sasl-profile';
import type { ImapBackEnd } from '../back-end/imap-back-end.ts';
import { capabilitiesBeforeLogin } from '../protocol/capabilities.ts';
import type { Verb } from '../protocol/command.ts';
import type { Limits } from '../protocol/limits.ts';

/** The state of one session before its login. */
export class State extends ProxySession<ImapBackEnd, Verb, string, Limits> {
  get limits(): Limits {
    return this.settings.limits;
  }

  /** The capabilities that this client may use now. */
  get capabilities(): string {
    const { canStartTls, loginObstacle, mechanisms } = this;
    return capabilitiesBeforeLogin({ canStartTls, mechanisms, allowsLogin: loginObstacle === undefined });
  }

  /**
   * Why the command LOGIN may not be used now; undefined if it may. It sends a password as PLAIN
   * and LOGIN do, so it works if one of them does.
   */
  get loginObstacle(): OfferObstacle | undefined {
    const plain = this.chooseMechanism('PLAIN');
    const choice = plain === 'not-offered' ? this.chooseMechanism('LOGIN') : plain;
    return typeof choice === 'string' ? choice : undefined;
  }

  /** The rules for the strings of a command (RFC 9051 §4.3, RFC 7888). */
  stringRules(tag: string): StringRules {
    const { maxCommandLine: maxLine, maxLiteral } = this.limits;
    return {
      maxLine,
      maxLiteral,
      hasAtoms: true,
      continuation: '+ OK',
      invalid: `${tag} BAD Invalid arguments`,
      tooBig: `${tag} BAD [TOOBIG] Literal too big`,
      closingReply: '* BYE [TOOBIG] Literal too big',
    };
  }
}
