import type { AvatarFactory } from '@postern/cred';
import type { EsmtpOptions, MessageDelivery } from '@postern/esmtp';
import type { CertificateOptions, Certificates, ListenOptions } from '@postern/node';
import type { ThrottleOptions } from '@postern/throttle';
import type { DeliverFunction } from './deliver.ts';
import type { Users } from './users.ts';

/** Where messages go: one of the two. */
export type DeliveryChoice =
  | {
      /** Takes each message, or is the one delivery of all users. */
      readonly deliver: DeliverFunction | MessageDelivery;
      readonly deliveryFor?: never;
    }
  | {
      /** Returns the delivery of one user at each login: `relay({ … })` of `@postern/relay`, or a function. */
      readonly deliveryFor: AvatarFactory<MessageDelivery>;
      readonly deliver?: never;
    };

/** Where to listen, who may log in, where messages go; and each option of `esmtp()`, whose service is always submission. */
export type SubmissionOptions = DeliveryChoice &
  Omit<EsmtpOptions, 'hostname' | 'portal' | 'service'> &
  Pick<ListenOptions, 'onError' | 'proxy'> & {
    /** One or more of `smtp://HOST:PORT`, `smtps://HOST:PORT` and `smtp+unix:PATH`; `?tls=required` demands STARTTLS. Port 0 lets the system choose. */
    readonly listen: string | readonly string[];
    readonly users: Users;
    /** The certificate and its key, as PEM or as paths of files. Default: none, and then no TLS. */
    readonly tls?: CertificateOptions | Certificates;
    /** The server's name in the greeting and in `Received:` fields. Default: the system's, or `localhost` if that is no domain. */
    readonly hostname?: string;
    /** After how many failed logins a user or a network has to wait; false for no limit. Default: the limits of `withThrottle`. */
    readonly throttle?: ThrottleOptions | false;
    /** How many connections a listener takes, in all and from one client. Default: 10,000 and 100. */
    readonly connections?: ListenOptions['limits'];
    /** How long transactions may go on after `close()`, in milliseconds. Default: 10,000. */
    readonly shutdownTimeout?: number;
  };

/**
 * Checks that each option has a known name: a misspelt `tls` would leave a server without TLS.
 *
 * @throws TypeError that names the unknown option and all known ones
 */
export function checkOptionNames(options: SubmissionOptions): void {
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(NAMES, name));
  if (unknown === undefined) return;
  throw new TypeError(`unknown option ${JSON.stringify(unknown)}: expected ${Object.keys(NAMES).join(', ')}`);
}

type OptionName<Options = SubmissionOptions> = Options extends unknown ? keyof Options : never;

/** The type requires every option. */
const NAMES: Readonly<Record<OptionName, true>> = {
  listen: true,
  users: true,
  deliver: true,
  deliveryFor: true,
  tls: true,
  hostname: true,
  throttle: true,
  connections: true,
  proxy: true,
  onError: true,
  shutdownTimeout: true,
  authentication: true,
  challengers: true,
  clock: true,
  addMissingHeaders: true,
  lenient: true,
  limits: true,
  logUsernames: true,
  newlines: true,
  mechanismPolicy: true,
  disabledExtensions: true,
  omitClientFromReceived: true,
  onEvent: true,
  requireQualifiedDomains: true,
  removeBcc: true,
  trustAuthParameter: true,
  xclient: true,
};
