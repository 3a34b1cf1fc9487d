/**
 * The purpose of a listener. `submission`: messages of this server's users (RFC 6409). `mx`: mail
 * from any host for them (RFC 5321). `lmtp`: mail from a server that queues (RFC 2033).
 */
export type Service = 'submission' | 'mx' | 'lmtp';

/** The rules that a service sets. Each can be overridden by the option of the same name. */
export interface Policy {
  /**
   * `required`: MAIL needs AUTH. `optional`: a client that sends MAIL without AUTH is logged in as
   * `Anonymous`, if the portal has a checker for that. `none`: the same, and AUTH is not offered.
   */
  readonly authentication: 'required' | 'optional' | 'none';
  /**
   * True refuses addresses whose domain is not fully qualified (RFC 6409 §4.2): in the envelope,
   * and in the header of a message to which the server adds fields.
   */
  readonly requireQualifiedDomains: boolean;
  /** True adds a missing `Date` and `Message-ID` to a message (RFC 6409 §8.2, §8.3). */
  readonly addMissingHeaders: boolean;
  /**
   * The treatment of a CR or LF that is not part of a CRLF, in any message but BINARYMIME. `reject`
   * refuses the message with 550 after its end (RFC 5321 §2.3.8). `normalize` replaces each by a
   * CRLF. The message ends at CRLF.CRLF alone in both cases.
   */
  readonly newlines: 'reject' | 'normalize';
  /**
   * True removes the fields `Bcc` and `Resent-Bcc` from the header of a message (RFC 5322 §3.6.3).
   */
  readonly removeBcc: boolean;
  /**
   * True omits the client's address, host name and EHLO name from the `Received:` field, for the
   * privacy of users. The field then begins with `by`, although RFC 5321 §4.4 puts `from` first.
   */
  readonly omitClientFromReceived: boolean;
}

/** The default policy of each service. */
export const services: Readonly<Record<Service, Policy>> = {
  submission: {
    authentication: 'required',
    requireQualifiedDomains: true,
    addMissingHeaders: true,
    newlines: 'normalize',
    removeBcc: true,
    omitClientFromReceived: false,
  },
  mx: {
    authentication: 'optional',
    requireQualifiedDomains: false,
    addMissingHeaders: false,
    newlines: 'reject',
    removeBcc: false,
    omitClientFromReceived: false,
  },
  lmtp: {
    authentication: 'none',
    requireQualifiedDomains: false,
    addMissingHeaders: false,
    newlines: 'reject',
    removeBcc: false,
    omitClientFromReceived: false,
  },
};
