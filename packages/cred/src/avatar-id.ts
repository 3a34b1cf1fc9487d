/** The avatar id of someone who has no name. A symbol, so that no user can be called that. */
export const ANONYMOUS: unique symbol = Symbol('anonymous');

/** Whom a checker recognised: the name under which a realm knows the user, or {@link ANONYMOUS}. Never empty. */
export type AvatarId = string | typeof ANONYMOUS;
