import type { TlsPolicy } from '@postern/conversation';
import { UsageError, underName } from './errors.ts';
import {
  type AccessListenerUrl,
  isAccess,
  isDirectory,
  type ListenerUrl,
  parseListenerUrl,
  type SmtpListenerUrl,
} from './listener-url.ts';
import { redactSpec } from './redact-spec.ts';

/** The settings of one listener, with every default. */
export type ListenerSettings = SmtpListenerSettings | AccessListenerSettings;

/** The settings of an SMTP or LMTP listener. */
export interface SmtpListenerSettings extends Omit<SmtpListenerUrl, 'tls'> {
  readonly tls: TlsPolicy;
}

/** The settings of a listener of POP3, IMAP or ManageSieve. */
export interface AccessListenerSettings extends Omit<AccessListenerUrl, 'tls'> {
  readonly tls: TlsPolicy;
}

/**
 * Parses the URLs of listeners.
 *
 * @param hasCertificate True if the settings name a certificate.
 * @throws UsageError that begins with the URL.
 */
export function parseListeners(urls: readonly string[], hasCertificate: boolean): readonly ListenerSettings[] {
  return urls.map((url) => underName(redactSpec(url), () => withTlsPolicy(parseListenerUrl(url), hasCertificate)));
}

/** Returns true if users log in at the listener. */
export function takesUsers(listener: ListenerSettings): boolean {
  if (isAccess(listener)) return !isDirectory(listener);
  const { service, auth } = listener;
  return auth === 'required' || (service === 'submission' && auth !== 'none');
}

function withTlsPolicy(url: ListenerUrl, hasCertificate: boolean): ListenerSettings {
  const isImplicit = url.endpoint.scheme.endsWith('s');
  if ((isImplicit || url.tls === 'required') && !hasCertificate) {
    throw new UsageError('expected --tls-cert and --tls-key (or tls in the config file) for a listener that needs TLS');
  }
  if (isImplicit) return { ...url, tls: 'implicit' };
  // No third party reads the traffic of a UNIX socket.
  return { ...url, tls: url.tls ?? (hasCertificate && !('path' in url.endpoint) ? 'offered' : 'none') };
}
