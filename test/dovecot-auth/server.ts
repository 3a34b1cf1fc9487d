import { Deadlines, type Protocol } from '@postern/conversation';
import { Identity, identityOf, type Portal } from '@postern/cred';
import { type DovecotAuthEvent, type DovecotAuthOptions, dovecotAuth } from '@postern/dovecot-auth';
import { type DialogueOptions, dialogue, FakeClock, portalFor } from '@postern/testing';

/** The users of the tests. */
const USERS = { joe: 's3cret', ann: 'pa55word' };

/** An auth server for dialogues, with its events and its clock. */
export class AuthServer {
  readonly clock = new FakeClock();
  /** The deadlines that all conversations of the server share. */
  readonly deadlines = new Deadlines(this.clock);
  readonly portal: Portal;
  readonly events: DovecotAuthEvent[] = [];
  readonly protocol: Protocol;

  constructor(options: Partial<DovecotAuthOptions> = {}) {
    this.portal = options.portal ?? portalFor(USERS, Identity, identityOf, { clock: this.clock });
    this.protocol = dovecotAuth({
      hostname: 'mail.example.com',
      clock: this.clock,
      onEvent: (event) => this.events.push(event),
      ...options,
      portal: this.portal,
    });
  }

  /** Plays a script against the server, as a mail server on the same machine. */
  play(script: string, options: DialogueOptions = {}): Promise<string> {
    const unix = { family: 'unix', address: '', port: 0 } as const;
    return dialogue(this.protocol, script, {
      lineEnding: 'lf',
      client: unix,
      server: unix,
      clock: this.clock,
      ...options,
    });
  }

  /** Returns the kinds of the events so far. */
  get kinds(): readonly string[] {
    return this.events.map(({ kind }) => kind);
  }
}

/** The handshake of a server on the same machine, with the default mechanisms, as script lines. */
export const HANDSHAKE = String.raw`
  S: VERSION\t1\t3
  S: MECH\tSCRAM-SHA3-512\tmutual-auth
  S: MECH\tSCRAM-SHA-512\tmutual-auth
  S: MECH\tSCRAM-SHA-384\tmutual-auth
  S: MECH\tSCRAM-SHA-224\tmutual-auth
  S: MECH\tCRAM-MD5\tdictionary\tactive
  S: MECH\tPLAIN\tplaintext
  S: MECH\tLOGIN\tplaintext
  S: SPID\t<any>
  S: CUID\t<any>
  S: COOKIE\t<any>
  S: DONE
`;

/** Returns the handshake of both sides, for a client with this minor version. */
export function greeted(minor = 0): string {
  return `${HANDSHAKE}\n  C: VERSION\\t1\\t${minor}\n  C: CPID\\t4711\n`;
}
