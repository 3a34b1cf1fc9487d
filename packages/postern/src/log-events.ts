import { type Address, ANONYMOUS, type AvatarId, LoginDenied, type Mind } from '@postern/cred';
import type { Envelope, EsmtpEvent, EventListener } from '@postern/esmtp';
import type { Trouble } from '@postern/node';
import type { Facts, Log } from './log.ts';

/** Writes what happens on connections into the log. */
export function logEvents(log: Log): EventListener {
  return (event) => {
    const { level, message, facts } = entryOf(event);
    log[level](message, { remote: formatAddress(event.mind.remote), ...facts });
  };
}

/** Writes what goes wrong at a listener, before and beside any session, into the log. */
export function logTrouble(log: Log, now = () => performance.now()): (trouble: Trouble) => void {
  let quietUntil = Number.NEGATIVE_INFINITY;
  return (trouble) => {
    const remote = 'remote' in trouble ? formatAddress(trouble.remote) : undefined;
    switch (trouble.kind) {
      case 'handshake':
        return log.info('no TLS came about', { remote, error: trouble.error });
      case 'proxy':
        return log.warn('a proxy did not say whom it connects', { remote, error: trouble.error });
      case 'refused':
        return log.warn('turned away', { remote, excess: trouble.excess });
      case 'protocol':
        return log.error('a session broke', { remote, error: trouble.error });
      case 'accept':
        // It comes for every connection, and again and again as long as one waits.
        if (now() < quietUntil) return;
        quietUntil = now() + QUIET;
        return log.error('cannot accept connections', { error: trouble.error });
      case 'cut-off':
        return log.warn('the grace is over, and connections are cut off', { connections: trouble.connections });
    }
  };
}

/** Writes into the log that the sender of a message could not be told what became of it. */
export function logUnsent(log: Log): (error: unknown, envelope: Envelope) => void {
  return (error, { id }) => log.error('a notification could not be sent', { id, culprit: 'operator', error });
}

interface Entry {
  readonly level: keyof Log;
  readonly message: string;
  readonly facts?: Facts;
}

function entryOf(event: EsmtpEvent): Entry {
  switch (event.kind) {
    case 'connected':
      return {
        level: 'info',
        message: 'connected',
        facts: { local: formatAddress(event.mind.local), ...tlsFacts(event.mind) },
      };
    case 'tls-started':
      return { level: 'info', message: 'TLS started', facts: tlsFacts(event.mind) };
    case 'forwarded':
      return { level: 'info', message: 'handed on by a trusted peer', facts: { peer: formatAddress(event.peer) } };
    case 'authenticated':
      return {
        level: 'info',
        message: 'logged in',
        facts: { mechanism: event.mechanism, user: formatAvatarId(event.avatarId) },
      };
    case 'login-refused': {
      const { mechanism, error, reply } = event;
      const facts = {
        mechanism,
        reply: reply.code,
        code: error.code,
        reason: error instanceof LoginDenied ? error.reason : undefined,
      };
      if (error.culprit === 'client') return { level: 'info', message: 'login refused', facts };
      return { level: 'error', message: 'login refused', facts: { ...facts, error } };
    }
    case 'message-accepted': {
      const { envelope, octets, failed } = event;
      const facts = { id: envelope.id, recipients: envelope.recipients.length, octets };
      if (failed.length === 0) return { level: 'info', message: 'message accepted', facts };
      return {
        level: 'warn',
        message: 'message accepted, but not for all',
        facts: { ...facts, failed: failed.length },
      };
    }
    case 'message-refused':
      return { level: 'warn', message: 'message refused', facts: { id: event.envelope.id, reply: event.reply.code } };
    case 'trouble':
      return {
        level: event.culprit === 'client' ? 'info' : 'error',
        message: 'trouble',
        facts: { during: event.during, culprit: event.culprit, error: event.cause },
      };
    case 'closed':
      return { level: 'info', message: 'closed', facts: { reason: event.reason } };
  }
}

/** RFC 8314 §4.3: what can be found out of it later. */
function tlsFacts({ tls }: Mind): Facts {
  return { version: tls?.version, cipher: tls?.cipher };
}

/** `192.0.2.1:25`, `[::1]:25`, or `unix`. */
function formatAddress({ family, address, port }: Address): string {
  if (family === 'unix') return 'unix';
  return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;
}

function formatAvatarId(avatarId: AvatarId): string {
  return avatarId === ANONYMOUS ? 'anonymous' : avatarId;
}

/** For how long trouble that lasts is not told of again: milliseconds. */
const QUIET = 60_000;
