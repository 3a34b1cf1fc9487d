import type { OptionTable } from '../option-table.ts';

/** A command of `postern user`, as the help shows it. */
export interface UserCommandEntry {
  /** The arguments after the command's name: `NAME`. */
  readonly arguments: string;
  /** The line of help. */
  readonly summary: string;
  readonly options: OptionTable;
}

const common = {
  db: {
    type: 'string',
    value: 'SPEC',
    summary: 'the user database: sqlite:PATH, postgres:URL or file:PATH; default: see below',
  },
  config: { type: 'string', value: 'FILE', summary: 'the config file of postern serve, with auth and users' },
} as const;
const json = { type: 'boolean', summary: 'one JSON object a line' } as const;
const generate = { type: 'boolean', summary: 'make up a password and print it' } as const;
const expires = {
  type: 'string',
  value: 'DATE',
  summary: 'the date from which logins are refused, such as 2027-01-31 (UTC), or never',
} as const;
const scopes = {
  type: 'string',
  value: 'LIST',
  summary: 'the protocols for logins, such as smtp,imap, or all',
} as const;
const mustChange = { type: 'boolean', summary: 'refuse logins until the password is changed' } as const;

/** The commands of `postern user` by their names, in the order of the help. */
export const USER_COMMANDS = {
  add: {
    arguments: 'NAME',
    summary: 'add a user',
    options: { ...common, generate, expires, scopes, 'must-change': mustChange },
  },
  list: { arguments: '', summary: 'list the users', options: { ...common, json } },
  show: { arguments: 'NAME', summary: 'show a user', options: { ...common, json } },
  password: {
    arguments: 'NAME',
    summary: 'set a new password',
    options: { ...common, generate, 'must-change': mustChange },
  },
  set: {
    arguments: 'NAME',
    summary: 'change the limits',
    options: {
      ...common,
      expires,
      scopes,
      'must-change': mustChange,
      'no-must-change': { type: 'boolean', summary: 'accept the present password' },
    },
  },
  disable: { arguments: 'NAME', summary: 'refuse logins of a user', options: common },
  enable: { arguments: 'NAME', summary: 'accept logins of a user again', options: common },
  remove: {
    arguments: 'NAME',
    summary: 'remove a user',
    options: { ...common, yes: { type: 'boolean', summary: 'remove without a question' } },
  },
  'app-password add': {
    arguments: 'NAME LABEL',
    summary: 'make a password for one program',
    options: { ...common, expires, scopes },
  },
  'app-password list': {
    arguments: 'NAME',
    summary: 'list the application passwords of a user',
    options: { ...common, json },
  },
  'app-password remove': { arguments: 'NAME LABEL', summary: 'remove an application password', options: common },
  totp: {
    arguments: 'NAME',
    summary: 'add one-time codes, as a QR code',
    options: {
      ...common,
      issuer: { type: 'string', value: 'TEXT', summary: 'the name of this site in the authenticator app' },
      'no-confirm': { type: 'boolean', summary: 'store the secret without asking for a first code' },
      remove: { type: 'boolean', summary: 'remove the second factor' },
    },
  },
  import: {
    arguments: 'FILE',
    summary: 'add the users of a file with hashes',
    options: {
      ...common,
      format: { type: 'string', value: 'WORD', summary: 'htpasswd, passwd-file or shadow; default: by the content' },
      'allow-weak': {
        type: 'boolean',
        summary: 'also take hashes of MD5, MD4 and DES; default: users.allowWeak of the config file',
      },
      'dry-run': { type: 'boolean', summary: 'only report what would be added' },
    },
  },
} as const satisfies Readonly<Record<string, UserCommandEntry>>;

/** The name of a command of `postern user`. */
export type UserCommandName = keyof typeof USER_COMMANDS;
