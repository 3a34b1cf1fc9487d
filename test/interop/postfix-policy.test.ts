import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ANONYMOUS,
  AnonymousChecker,
  AvatarRealm,
  type Checker,
  checker,
  Identity,
  InMemoryUsernamePasswordDatabaseDontUse,
  identityOf,
  LoginDenied,
  Portal,
  TrustedLogin,
} from '@postern/cred';
import { dovecotAuth, MailDirectory, policy, socketmap } from '@postern/dovecot-auth';
import { type Server, serve } from '@postern/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LineClient } from '../support/line-client.ts';
import { type RunningPostfix, skipsPostfix, startPostfix } from '../support/postfix.ts';

let folder: string;
let auth: Server;
let lookups: Server;
let disabled: ReadonlySet<string> = new Set();
let isDown = false;
let isHung = false;

/** Each user has one address at example.com; `team@example.com` belongs to both. */
class Directory extends MailDirectory {
  readonly #owner: string | undefined;

  constructor(owner: string | undefined) {
    super();
    this.#owner = owner;
  }

  mayUseSender(sender: string) {
    return sender === '' || (this.#owner !== undefined && this.ownersOf(sender).includes(this.#owner));
  }

  async hasRecipient(recipient: string) {
    if (isDown) throw new Error('the directory is down');
    if (isHung) await new Promise(() => {});
    return recipient.endsWith('@example.com') ? this.ownersOf(recipient).length > 0 : undefined;
  }

  ownersOf(sender: string): readonly string[] {
    if (sender === 'team@example.com') return USERS;
    return USERS.filter((user) => sender.toLowerCase() === `${user}@example.com`);
  }
}

describe.skipIf(skipsPostfix())('a Postfix that asks Postern', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'postern-lookups-'));
    await chmod(folder, 0o755);
    const realm = new AvatarRealm()
      .provide(Identity, identityOf)
      .provide(MailDirectory, (avatarId) => new Directory(avatarId === ANONYMOUS ? undefined : avatarId));
    const trusted: Checker<TrustedLogin> = checker([TrustedLogin], ({ username }) => {
      if (disabled.has(username)) throw new LoginDenied('disabled');
      return username;
    });
    const portal = new Portal(realm)
      .register(new InMemoryUsernamePasswordDatabaseDontUse({ ann: 's3cret', bob: 's3cret' }))
      .register(trusted)
      .register(new AnonymousChecker());
    const unix = (name: string) => ({ endpoint: { path: join(folder, name) }, mode: 0o666 });
    auth = await serve({
      listeners: [{ ...unix('auth'), protocol: dovecotAuth({ hostname: 'mx.example.com', portal }) }],
      portal,
    });
    const onEvent = (): void => {};
    lookups = await serve({
      listeners: [
        { ...unix('policy'), protocol: policy({ portal, onEvent }) },
        { ...unix('map'), protocol: socketmap({ portal, onEvent }) },
      ],
      portal,
    });
  });

  afterAll(async () => {
    await lookups?.close();
    await auth?.close();
    await rm(folder, { recursive: true, force: true });
  });

  describe('by check_policy_service', () => {
    let postfix: RunningPostfix;

    beforeAll(async () => {
      postfix = await startPostfix({
        ...login(),
        virtual_mailbox_domains: 'example.com',
        smtpd_recipient_restrictions: `check_policy_service unix:${join(folder, 'policy')}`,
        smtpd_policy_service_try_limit: '1',
        smtpd_policy_service_retry_delay: '1s',
        smtpd_policy_service_timeout: '2s',
      });
    });

    afterAll(() => postfix?.stop());

    it('lets a user send from each of its addresses', async () => {
      using client = await loggedIn(postfix, 'ann');
      expect(await client.transaction('ann@example.com', 'x@example.net')).toMatch(/^250 /);
      expect(await client.transaction('team@example.com', 'bob@example.com')).toMatch(/^250 /);
      expect(await client.transaction('', 'bob@example.com')).toMatch(/^250 /);
    });

    it('refuses the sender of another user', async () => {
      using client = await loggedIn(postfix, 'ann');
      expect(await client.transaction('bob@example.com', 'x@example.net')).toMatch(/^553 5\.7\.1 .*not owned/);
    });

    it('refuses unknown recipients, of users and of other servers', async () => {
      using user = await loggedIn(postfix, 'ann');
      expect(await user.transaction('ann@example.com', 'nobody@example.com')).toMatch(/^550 5\.1\.1 .*User unknown/);
      using other = await SmtpClient.connect(postfix.port);
      expect(await other.transaction('x@example.net', 'nobody@example.com')).toMatch(/^550 5\.1\.1 .*User unknown/);
      expect(await other.transaction('x@example.net', 'bob@example.com')).toMatch(/^250 /);
    });

    it('refuses a user that was disabled after the login', async () => {
      using client = await loggedIn(postfix, 'ann');
      disabled = new Set(['ann']);
      try {
        expect(await client.transaction('ann@example.com', 'x@example.net')).toMatch(/^554 5\.7\.1 .*closed/);
      } finally {
        disabled = new Set();
      }
      expect(await client.transaction('ann@example.com', 'x@example.net')).toMatch(/^250 /);
    });

    it('defers while the directory is down', async () => {
      using client = await loggedIn(postfix, 'ann');
      isDown = true;
      try {
        expect(await client.transaction('ann@example.com', 'bob@example.com')).toMatch(/^451 4\.3\.5 /);
      } finally {
        isDown = false;
      }
    });

    // The last test: with a try limit of 1, Postfix 3.7 answers 451 to the next questions too.
    it('defers after its own timeout while the directory hangs', async () => {
      using client = await loggedIn(postfix, 'ann');
      isHung = true;
      try {
        expect(await client.transaction('ann@example.com', 'bob@example.com')).toMatch(/^451 4\.3\.5 /);
      } finally {
        isHung = false;
      }
    });
  });

  describe('by check_policy_service, whose server is down', () => {
    let postfix: RunningPostfix;

    beforeAll(async () => {
      postfix = await startPostfix({
        ...login(),
        virtual_mailbox_domains: 'example.com',
        smtpd_recipient_restrictions: `check_policy_service unix:${join(folder, 'nobody')}`,
        smtpd_policy_service_try_limit: '1',
        smtpd_policy_service_retry_delay: '1s',
      });
    });

    afterAll(() => postfix?.stop());

    it('defers each recipient', async () => {
      using client = await loggedIn(postfix, 'ann');
      expect(await client.transaction('ann@example.com', 'bob@example.com')).toMatch(/^451 4\.3\.5 /);
      expect(await client.transaction('ann@example.com', 'nobody@example.com')).toMatch(/^451 4\.3\.5 /);
    });
  });

  describe('by check_policy_service in smtpd_data_restrictions', () => {
    let postfix: RunningPostfix;

    beforeAll(async () => {
      postfix = await startPostfix({
        ...login(),
        virtual_mailbox_domains: 'example.com',
        smtpd_data_restrictions: `check_policy_service unix:${join(folder, 'policy')}`,
      });
    });

    afterAll(() => postfix?.stop());

    it.each(['DATA', 'BDAT 0 LAST'])('refuses the sender of another user at %s', async (command) => {
      using client = await loggedIn(postfix, 'ann');
      await client.say('MAIL FROM:<bob@example.com>');
      expect(await client.say('RCPT TO:<bob@example.com>')).toMatch(/^250 /);
      expect(await client.say(command)).toMatch(/^553 5\.7\.1 .*not owned/);
    });
  });

  describe('by socketmap', () => {
    let postfix: RunningPostfix;

    beforeAll(async () => {
      const map = (name: string) => `socketmap:unix:${join(folder, 'map')}:${name}`;
      postfix = await startPostfix({
        ...login(),
        virtual_mailbox_domains: 'example.com',
        virtual_mailbox_maps: map('recipients'),
        relay_domains: 'relay.example.com',
        relay_recipient_maps: map('recipients'),
        smtpd_sender_login_maps: map('senders'),
        smtpd_sender_restrictions: 'reject_sender_login_mismatch',
      });
    });

    afterAll(() => postfix?.stop());

    it('lets a user send from each of its addresses', async () => {
      using client = await loggedIn(postfix, 'ann');
      expect(await client.transaction('ann@example.com', 'x@example.net')).toMatch(/^250 /);
      expect(await client.transaction('team@example.com', 'bob@example.com')).toMatch(/^250 /);
    });

    it('refuses the sender of another user, and of no user', async () => {
      using client = await loggedIn(postfix, 'ann');
      expect(await client.transaction('bob@example.com', 'x@example.net')).toMatch(
        /^553 5\.7\.1 .*not owned by user ann/,
      );
      expect(await client.transaction('x@example.net', 'x@example.net')).toMatch(/^553 5\.7\.1 /);
    });

    it('refuses a user’s sender of a client that has not logged in', async () => {
      using client = await SmtpClient.connect(postfix.port);
      expect(await client.transaction('ann@example.com', 'bob@example.com')).toMatch(/^553 5\.7\.1 .*not logged in/);
      expect(await client.transaction('x@example.net', 'bob@example.com')).toMatch(/^250 /);
    });

    it('refuses unknown recipients', async () => {
      using client = await SmtpClient.connect(postfix.port);
      expect(await client.transaction('x@example.net', 'nobody@example.com')).toMatch(/^550 5\.1\.1 /);
      expect(await client.transaction('x@example.net', 'x@relay.example.com')).toMatch(/^550 5\.1\.1 /);
    });

    it('defers while the directory is down, and while the server is', async () => {
      using client = await SmtpClient.connect(postfix.port);
      isDown = true;
      try {
        expect(await client.transaction('x@example.net', 'bob@example.com')).toMatch(/^451 4\.3\.0 /);
      } finally {
        isDown = false;
      }
      expect(await client.transaction('x@example.net', 'bob@example.com')).toMatch(/^250 /);
      await lookups.close();
      expect(await client.transaction('x@example.net', 'bob@example.com')).toMatch(/^451 4\.3\.0 /);
    });
  });
});

function login(): Readonly<Record<string, string>> {
  return {
    smtpd_sasl_auth_enable: 'yes',
    smtpd_sasl_type: 'dovecot',
    smtpd_sasl_path: join(folder, 'auth'),
    smtpd_relay_restrictions: 'permit_sasl_authenticated, reject_unauth_destination',
  };
}

class SmtpClient extends LineClient {
  static async connect(port: number): Promise<SmtpClient> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    const client = new SmtpClient(socket);
    await client.hear();
    await client.say('EHLO client.example.org');
    return client;
  }

  /** Sends MAIL, RCPT and RSET. Resolves to the reply to RCPT: there Postfix applies all lists. */
  async transaction(sender: string, recipient: string): Promise<string> {
    await this.say(`MAIL FROM:<${sender}>`);
    const reply = await this.say(`RCPT TO:<${recipient}>`);
    await this.say('RSET');
    return reply;
  }
}

async function loggedIn({ port }: RunningPostfix, user: string): Promise<SmtpClient> {
  const client = await SmtpClient.connect(port);
  const plain = Buffer.from(`\0${user}\0s3cret`).toString('base64');
  expect(await client.say(`AUTH PLAIN ${plain}`)).toMatch(/^235 /);
  return client;
}

const USERS: readonly string[] = ['ann', 'bob'];
