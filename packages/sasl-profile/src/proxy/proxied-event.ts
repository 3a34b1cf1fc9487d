import type { PassThroughEnd } from '@postern/conversation';
import type { AvatarId, Mind } from '@postern/cred';

/** The end of a session whose octets passed through to a back end. */
export interface ProxiedEvent {
  readonly mind: Mind;
  readonly kind: 'proxied';
  readonly avatarId: AvatarId;
  /** The octets that the client sent after its login. */
  readonly received: number;
  /** The octets that the back end sent to the client after the login. */
  readonly sent: number;
  /** The milliseconds from the login to the end. */
  readonly duration: number;
  /** `peer-broken`: the connection to the back end broke; `broken`: that of the client. */
  readonly reason: PassThroughEnd['reason'];
}
