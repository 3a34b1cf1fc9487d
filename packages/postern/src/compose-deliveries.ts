import { after } from '@postern/core';
import { type ForwardPath, withDefaultLimits } from '@postern/esmtp';
import { formatEndpoint } from '@postern/node';
import type { CommandOutput, DeliveryFactory, DeliveryTargetContext } from './delivery-target.ts';
import { UsageError } from './errors.ts';
import type { SmtpListenerSettings } from './listener-settings.ts';
import { isSmtp } from './listener-url.ts';
import { logUnsentNotification } from './log-events.ts';
import { notifying } from './notifying.ts';
import { OwnSenders } from './own-senders.ts';
import { Recipients } from './recipients.ts';
import type { Settings } from './settings.ts';
import { ownDomains } from './user-addresses.ts';

/** The parts of a server that decide about senders and recipients, and deliver. */
export interface Deliveries {
  /** Returns each user's delivery. */
  readonly factory: DeliveryFactory;
  /** The local recipients, before `load()`. Undefined if no option names them. */
  readonly recipients: Recipients | undefined;
  /** The addresses that users may send from, before `load()`. Undefined for any address. */
  readonly ownSenders: OwnSenders | undefined;
}

/**
 * Opens the targets of messages and notifications, and puts the checks of senders and recipients
 * before them. Notifications name the recipients of the client, so that they bypass the
 * expansion of aliases.
 *
 * @param isOpen Returns true for a listener that accepts mail without a login.
 * @throws UsageError for targets and recipients that do not work together.
 */
export async function composeDeliveries(
  settings: Settings,
  output: CommandOutput,
  isOpen: (listener: SmtpListenerSettings) => boolean,
): Promise<Deliveries> {
  const { hostname, recipientDelimiter } = settings;
  const context = { ...output, hostname, recipientDelimiter };
  const target = await settings.deliver.open(context);
  const recipients = recipientsOf(settings, target.isLocal ?? false, isOpen);
  const known = recipients === undefined ? target : recipients.guard(target);
  const notified = await withNotifications(known, recipients, settings, context);
  const ownSenders = ownSendersOf(settings);
  return { factory: ownSenders === undefined ? notified : ownSenders.guard(notified), recipients, ownSenders };
}

/**
 * @throws UsageError for an open listener that would create Maildirs for any address, or users who
 * could not send.
 */
function recipientsOf(
  settings: Settings,
  isLocal: boolean,
  isOpen: (listener: SmtpListenerSettings) => boolean,
): Recipients | undefined {
  const { recipients, listeners, hostname, recipientDelimiter } = settings;
  const open = listeners.filter(isSmtp).find(isOpen);
  if (recipients === undefined) {
    if (!isLocal || open === undefined) return undefined;
    throw new UsageError(
      `${formatEndpoint(open.endpoint)}: expected --recipients or --domains (or recipients or domains in the config ` +
        `file) for ${OPEN_SERVICES[open.service]} that stores mail; --domains '*' accepts every address`,
    );
  }
  const needsDomains = recipients.lookup !== undefined || recipients.users.length > 0;
  if (!isLocal && needsDomains && recipients.domains === undefined) {
    throw new UsageError(
      '--domains: expected the local domains, where a user database or a function knows the recipients and mail is sent on',
    );
  }
  return new Recipients(recipients, { hostname, recipientDelimiter, isLocal });
}

function ownSendersOf(settings: Settings): OwnSenders | undefined {
  const { ownSenders, recipientDelimiter } = settings;
  if (ownSenders === undefined) return undefined;
  return new OwnSenders(ownSenders, { domains: ownDomains(settings), recipientDelimiter });
}

/** A local sender has a mailbox if the settings name the recipients: `--domains '*'` names none. */
async function withNotifications(
  factory: DeliveryFactory,
  recipients: Recipients | undefined,
  settings: Settings,
  context: DeliveryTargetContext,
): Promise<DeliveryFactory> {
  const { notify, hostname, limits } = settings;
  const namesRecipients = factory.isLocal === true && settings.recipients?.domains !== '*';
  const isLocalSender =
    recipients !== undefined && namesRecipients
      ? (sender: ForwardPath) =>
          after(recipients.resolve(sender), (resolution) => resolution === 'known' || Array.isArray(resolution))
      : undefined;
  if (notify === undefined && isLocalSender === undefined) return factory;
  const { endTimeout } = withDefaultLimits(limits);
  const targets = { notify: await notify?.open(context), isLocalSender };
  return notifying(factory, targets, {
    hostname,
    onError: logUnsentNotification(context.log),
    // A notification must end before the session's timeout.
    endTimeout: Math.max(endTimeout - 5_000, endTimeout / 2),
  });
}

const OPEN_SERVICES = { submission: 'a listener without login', mx: 'an MX', lmtp: 'LMTP' } as const;
