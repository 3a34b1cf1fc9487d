/**
 * What a listener is for: messages of this server's own users (RFC 6409), mail from anywhere for them (RFC 5321), or mail from a
 * server that queues (RFC 2033).
 */
export type Service = 'submission' | 'mx' | 'lmtp';

/** What the word for a listener stands for; each part of it can be chosen otherwise, by its name. */
export interface Policy {
  /**
   * Whether AUTH must come before mail, or may, or is neither offered nor taken. Who sends MAIL without it, where that is allowed, is
   * logged in as Anonymous, if the portal has a checker for that.
   */
  readonly authentication: 'required' | 'optional' | 'none';
  /**
   * Whether addresses whose domain is not fully qualified are refused (RFC 6409 §4.2): in the envelope, and in the header of a message that
   * is completed.
   */
  readonly requireQualifiedDomains: boolean;
  /** Whether a message gets the `Date` and the `Message-ID` that it lacks (RFC 6409 §8.2, §8.3). */
  readonly addMissingHeaders: boolean;
  /**
   * What becomes of a message with a CR or LF that is not part of a CRLF, unless it is BINARYMIME. `reject` refuses it with 550 after its
   * end (RFC 5321 §2.3.8). `normalize` passes it on with a CRLF in place of each; CRLF.CRLF alone ends it all the same.
   */
  readonly newlines: 'reject' | 'normalize';
  /** Whether the fields `Bcc` and `Resent-Bcc` are removed from the header of a message (RFC 5322 §3.6.3). */
  readonly removeBcc: boolean;
  /**
   * Whether the `Received:` field leaves out the client: its address, its host name and the name it gave. For the privacy of users: the
   * field then begins with `by` (RFC 5321 §4.4 has `from` first).
   */
  readonly omitClientFromReceived: boolean;
}

/** The policy of each service. */
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
