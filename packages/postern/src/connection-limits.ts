import type { ConnectionLimits } from '@postern/node';

/** The names of the limits that are a listener's own: all others in `limits` are those of a session. */
export const connectionLimits: ReadonlySet<string> = new Set(
  Object.keys({
    maxConnections: true,
    maxConnectionsPerClient: true,
    maxConnectionsPerSite: true,
    maxConnectionsPerMinute: true,
    maxHandshakesPerMinute: true,
  } satisfies Record<keyof ConnectionLimits, true>),
);
