export { type Config, defineConfig } from './config.ts';
export { ConsoleDelivery } from './console-delivery.ts';
export { DeliveryTarget } from './delivery-target.ts';
export { DiscardDelivery } from './discard-delivery.ts';
export type { LogForm } from './log.ts';
export { type MaildirTarget, maildir } from './maildir.ts';
export { type RelayOptions, relay } from './relay.ts';
