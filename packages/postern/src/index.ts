export { type Config, defineConfig } from './config.ts';
export { ConsoleDelivery } from './console-delivery.ts';
export { DiscardDelivery } from './deliver-specs.ts';
export { type DeliveryFactory, DeliveryTarget, type DeliveryTargetContext } from './delivery-target.ts';
export type { LogForm } from './log.ts';
export { type MaildirTargetOptions, maildir } from './maildir.ts';
export { type RelayOptions, relay } from './relay.ts';
