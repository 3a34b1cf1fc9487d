import type { AvatarFactory } from '@postern/cred';
import type { EsmtpOptions, MessageDelivery } from '@postern/esmtp';
import type { CertificateOptions, Certificates, ListenOptions } from '@postern/node';
import type { ThrottleOptions } from '@postern/throttle';
import type { DeliverFunction } from './deliver.ts';
import type { Users } from './users.ts';

/** The target of messages: exactly one of `deliver` and `deliveryFor`. */
export type DeliveryChoice =
  | {
      /** A function that takes each message, or one delivery for all users. */
      readonly deliver: DeliverFunction | MessageDelivery;
      readonly deliveryFor?: never;
    }
  | {
      /**
       * A function that returns the delivery of a user at each login, such as `relay({ … })` of
       * `@postern/relay`.
       */
      readonly deliveryFor: AvatarFactory<MessageDelivery>;
      readonly deliver?: never;
    };

/**
 * The options of `submission()`: listeners, users, target of messages, and each option of `esmtp()`
 * except for the service, which is always submission.
 */
export type SubmissionOptions = DeliveryChoice &
  Omit<EsmtpOptions, 'hostname' | 'portal' | 'service'> &
  Pick<ListenOptions, 'onError' | 'proxy'> & {
    /**
     * One or more of `smtp://HOST:PORT`, `smtps://HOST:PORT` and `smtp+unix:PATH`. With
     * `?tls=required` a client must use STARTTLS. With port 0 the system picks a port.
     */
    readonly listen: string | readonly string[];
    /** The user database. */
    readonly users: Users;
    /** The certificate and its key, as PEM or as paths of files. Default: none, and then no TLS. */
    readonly tls?: CertificateOptions | Certificates;
    /**
     * The server's name in the greeting and in `Received:` fields. Default: the name of the
     * machine, or `localhost` if that name is no domain.
     */
    readonly hostname?: EsmtpOptions['hostname'];
    /**
     * The numbers of failed logins after which a user or a network must wait; false for no limit.
     * Default: the limits of `withThrottle` in `@postern/throttle`.
     */
    readonly throttle?: ThrottleOptions | false;
    /**
     * The numbers of connections that a listener accepts. Default: 10,000 in all, and 100 from one
     * client.
     */
    readonly connections?: ListenOptions['limits'];
    /** Milliseconds that transactions have after `close()`. Default: 10,000. */
    readonly shutdownTimeout?: number;
  };

/**
 * Checks the names of the options: a misspelt `tls` would leave a server without TLS.
 *
 * @throws TypeError that names the unknown option and all known ones.
 */
export function checkOptionNames(options: SubmissionOptions): void {
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(OPTION_NAMES, name));
  if (unknown === undefined) return;
  throw new TypeError(`unknown option ${JSON.stringify(unknown)}: expected ${Object.keys(OPTION_NAMES).join(', ')}`);
}

type OptionName<Options = SubmissionOptions> = Options extends unknown ? keyof Options : never;

/** The type requires every option. */
const OPTION_NAMES: Readonly<Record<OptionName, true>> = {
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
