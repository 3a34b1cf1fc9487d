import type { Transport } from '@postern/conversation';
import { ImapBackEnd, type ImapBackEndOptions, type ImapEvent, type ImapOptions, imap } from '@postern/imap';
import { login, plain } from '@postern/sasl';
import { type DialogueOptions, dialogue, portalFor } from '@postern/testing';

/** The options of {@link talk}: those of the front, of the back end and of the connection. */
export interface TalkOptions {
  readonly connect?: (signal: AbortSignal) => Transport | Promise<Transport>;
  readonly backEnd?: Partial<ImapBackEndOptions>;
  readonly imap?: Partial<ImapOptions>;
  readonly pipe?: DialogueOptions;
}

/**
 * Plays a script against an IMAP front under TLS, with the user joe and his password s3cret.
 * Returns the events of the front.
 */
export async function talk(script: string, options: TalkOptions = {}): Promise<readonly ImapEvent[]> {
  const events: ImapEvent[] = [];
  const connect = options.connect ?? (() => Promise.reject(new Error('no back end')));
  const portal = portalFor(
    { joe: 's3cret', 'jo"é': 'pä ss' },
    ImapBackEnd,
    (username) =>
      new ImapBackEnd({
        connect,
        account: { username: String(username), masterUser: 'door', password: 'm4ster' },
        ...options.backEnd,
      }),
  );
  const protocol = imap({
    hostname: 'imap.example.com',
    portal,
    challengers: [plain(), login()],
    onEvent: (event) => events.push(event),
    limits: NO_DELAYS,
    ...options.imap,
  });
  await dialogue(protocol, script, { tlsPolicy: 'implicit', ...options.pipe });
  return events;
}

export const GREETING =
  'S: * OK [CAPABILITY IMAP4rev1 LITERAL- SASL-IR ID AUTH=PLAIN AUTH=LOGIN] imap.example.com ready';
/** The message of PLAIN for joe. */
export const JOE = Buffer.from('\0joe\0s3cret').toString('base64');
/** The message of PLAIN at the back end: door for joe. */
export const DOOR_FOR_JOE = Buffer.from('joe\0door\0m4ster').toString('base64');
/** A login at a back end that has SASL-IR. */
export const ACCEPTED = `
  S: * OK [CAPABILITY IMAP4rev1 SASL-IR STARTTLS AUTH=PLAIN] back ready
  C: p1 AUTHENTICATE PLAIN ${DOOR_FOR_JOE}
  S: p1 OK [CAPABILITY IMAP4rev1 IDLE STARTTLS AUTH=PLAIN SASL-IR MOVE] Logged in
`;
export const WELCOME = 'OK [CAPABILITY IMAP4rev1 IDLE MOVE] Logged in';
/** Limits without the delays of failed logins. */
export const NO_DELAYS = { minFailureDelay: 0, loginFailureDelay: 0 };
