import type { Address } from '@postern/core';
import { ANONYMOUS, type AvatarId, LoginDenied, type Mind } from '@postern/cred';
import type { Envelope } from '../delivery.ts';
import type { EsmtpEvent, FailedRecipient, NextHopReply } from '../events.ts';
import type { ReversePath } from '../protocol/address.ts';
import type { Reply } from '../protocol/reply.ts';
import type { LogFields } from './format-log-fields.ts';

/** A log entry. */
export interface Entry {
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields?: LogFields;
}

/**
 * Returns the log entry of an event, with lists of at most `maxRecipients` recipients. The README
 * documents the messages and fields.
 */
export function entryOf(event: EsmtpEvent, maxRecipients: number): Entry {
  switch (event.kind) {
    case 'connected':
      return info('connected', { local: formatAddress(event.mind.local), ...tlsFields(event.mind) });
    case 'tls-started':
      return info('TLS started', tlsFields(event.mind));
    case 'invalid-client-name':
      return info('the client gives a name that is no domain', { name: event.name });
    case 'forwarded':
      return info('handed on by a trusted peer', { peer: formatAddress(event.peer) });
    case 'foreign-protocol':
      return info(FOREIGN_MESSAGES[event.protocol], { reply: formatReply(event.reply) });
    case 'authenticated':
      return info('logged in', { mechanism: event.mechanism, user: formatUser(event.avatarId) });
    case 'login-refused':
      return loginRefused(event);
    case 'sender-refused':
      return info('sender refused', {
        from: formatSender(event.sender),
        user: formatUser(event.avatarId),
        reply: formatReply(event.reply),
      });
    case 'recipient-refused':
      return info('recipient refused', {
        to: [bounded(String(event.recipient))],
        from: event.sender === undefined ? undefined : formatSender(event.sender),
        user: formatUser(event.avatarId),
        reply: formatReply(event.reply),
      });
    case 'command-refused':
      return info('command refused', { command: event.verb, reply: formatReply(event.reply) });
    case 'message-accepted': {
      const { envelope, octets, failed, reply, nextHops } = event;
      const fields = {
        ...messageFields(envelope, event.avatarId, maxRecipients),
        size: octets,
        // The replies of next servers have the delivery's own reply already.
        reply: reply && nextHops.length === 0 ? formatReply(reply) : undefined,
        next: formatNextHops(nextHops, maxRecipients),
      };
      if (failed.length === 0) return info('message accepted', fields);
      const failures = formatFailed(failed, maxRecipients);
      return { level: 'warn', message: 'message accepted, but not for all', fields: { ...fields, failed: failures } };
    }
    case 'message-refused': {
      const fields = {
        ...messageFields(event.envelope, event.avatarId, maxRecipients),
        reply: formatReply(event.reply),
        failed: formatFailed(event.failed, maxRecipients),
      };
      return { level: 'warn', message: 'message refused', fields };
    }
    case 'error':
      return {
        level: event.culprit === 'client' ? 'info' : 'error',
        message: 'failure',
        fields: { during: event.during, culprit: event.culprit, err: event.cause },
      };
    case 'closed':
      return info('closed', { reason: event.reason, reply: event.reply && formatReply(event.reply) });
  }
}

function info(message: string, fields: LogFields): Entry {
  return { level: 'info', message, fields };
}

/**
 * The user name is last, because it is the client's text. fail2ban filters depend on this entry.
 */
function loginRefused({ mechanism, error, reply, username }: Extract<EsmtpEvent, { kind: 'login-refused' }>): Entry {
  const denial = error instanceof LoginDenied ? error : undefined;
  return info('login refused', {
    mechanism,
    code: error.code,
    reason: denial?.reason,
    until: denial?.retryAfter === undefined ? undefined : new Date(Date.now() + denial.retryAfter).toISOString(),
    reply: formatReply(reply),
    username: username === undefined ? undefined : bounded(username),
  });
}

function messageFields(
  { id, reversePath, recipients }: Envelope,
  avatarId: AvatarId | undefined,
  maxRecipients: number,
): LogFields {
  return {
    id,
    from: formatSender(reversePath),
    to: recipients.slice(0, maxRecipients).map(({ forwardPath }) => bounded(String(forwardPath))),
    recipients: recipients.length,
    user: formatUser(avatarId),
  };
}

function formatFailed(failed: readonly FailedRecipient[], maxRecipients: number): readonly LogFields[] | undefined {
  if (failed.length === 0) return undefined;
  const shown = failed.slice(0, maxRecipients);
  return shown.map(({ recipient, reply }) => ({ to: bounded(recipient), reply: formatReply(reply) }));
}

/** Names the recipients of each reply, unless one reply is for all. */
function formatNextHops(nextHops: readonly NextHopReply[], maxRecipients: number): readonly LogFields[] | undefined {
  if (nextHops.length === 0) return undefined;
  return nextHops.slice(0, maxRecipients).map(({ host, reply, recipients }) => ({
    host,
    reply: formatReply(reply),
    ...(nextHops.length > 1 && { to: recipients.slice(0, maxRecipients).map(bounded) }),
  }));
}

/** Returns the fields by which an operator finds weak TLS later (RFC 8314 §4.3). */
function tlsFields({ tls }: Mind): LogFields {
  return { version: tls?.version, cipher: tls?.cipher };
}

/** Formats an address for a log: `192.0.2.1:25`, `[::1]:25`, or `unix`. */
export function formatAddress({ family, address, port }: Address): string {
  if (family === 'unix') return 'unix';
  return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;
}

function formatUser(avatarId: AvatarId | undefined): string | undefined {
  return avatarId === ANONYMOUS ? 'anonymous' : avatarId;
}

function formatSender(sender: ReversePath): string {
  return sender === null ? '<>' : bounded(String(sender));
}

/** Formats a reply as one line: `550 5.1.1 No such user here`. */
function formatReply({ code, enhanced, lines }: Reply): string {
  return bounded([code, enhanced, ...lines].filter((part) => part !== undefined).join(' '));
}

function bounded(text: string): string {
  return text.length <= MAX_TEXT_LENGTH ? text : `${text.slice(0, MAX_TEXT_LENGTH)}…`;
}

const FOREIGN_MESSAGES = { TLS: 'a TLS client on a plain port', HTTP: 'an HTTP client on a mail port' } as const;
const MAX_TEXT_LENGTH = 500;
