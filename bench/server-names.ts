/**
 * A server under test. `command` is `postern serve`, `library` is a server of a few lines on the
 * packages. `before` and `before-library` are these two of another revision.
 */
export type ServerName = 'command' | 'before' | 'library' | 'before-library' | 'smtp-server' | 'bare';

export const SERVER_NAMES: readonly ServerName[] = [
  'command',
  'before',
  'library',
  'before-library',
  'smtp-server',
  'bare',
];
