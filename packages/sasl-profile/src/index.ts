export { Base64Framing, type FramingOptions } from './base64-framing.ts';
export { type ChallengerOffer, type ChosenChallenger, chooseChallenger } from './choose-challenger.ts';
export { ConversationMind } from './conversation-mind.ts';
export { type FailurePolicy, LoginFailures } from './login-failures.ts';
export { type LoginOutcome, type LoginOverOptions, loginOver } from './login-over.ts';
export { MechanismOffer } from './mechanism-offer.ts';
