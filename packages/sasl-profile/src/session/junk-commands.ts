import type { Clock } from '@postern/core';
import type { SessionLimits } from './session-limits.ts';

/** The consequence of a junk command. */
export type JunkPenalty = 'none' | 'delay' | 'disconnect';

/** The session whose junk commands are counted. */
export interface JunkSender {
  readonly settings: { readonly clock: Clock; readonly limits: SessionLimits };
  /** Tenths of junk commands at the time `junkCountedAt`. */
  junkTenths: number;
  /** Milliseconds on the clock of the settings. */
  junkCountedAt: number;
}

/**
 * Counts tenths of a command that brings the client nothing, and returns the consequence (after
 * Postfix's `smtpd_junk_command_limit`). Each ten seconds take one command off the count, so that a
 * client may keep a connection alive.
 */
export function countJunk(session: JunkSender, tenths: number): JunkPenalty {
  const { clock, limits } = session.settings;
  const now = clock.now();
  session.junkTenths = tenths + Math.max(0, session.junkTenths - (now - session.junkCountedAt) / MS_PER_TENTH);
  session.junkCountedAt = now;
  const commands = session.junkTenths / 10;
  if (commands > limits.maxJunkCommands) return 'disconnect';
  return commands > limits.undelayedJunkCommands && limits.junkCommandDelay > 0 ? 'delay' : 'none';
}

/** Milliseconds that take a tenth of a command off the count. */
const MS_PER_TENTH = 1_000;
