import { services } from '@postern/esmtp';
import { authSpecs } from './auth-specs.ts';
import { deliverSpecs } from './deliver-specs.ts';
import type { SpecForms } from './spec.ts';

/** What `postern --help` prints. */
export function help(): string {
  return `postern: a submission server

  postern serve [options]      takes mail until it gets SIGTERM or SIGINT
  postern explain [options]    prints which mechanisms these options would offer, and why not the others
  postern login URL --user NAME [--mechanism M] [--authzid Z] [--ca FILE]
                               logs in to an SMTP server, and prints the dialogue with secrets masked
  postern --help | --version

Options of serve and explain. All of them may be left out, and a config file can hold them, too:

  --listen URL       where to listen; may be given several times; default smtp://127.0.0.1:2500
                       smtp://HOST:PORT     with STARTTLS if there is a certificate
                       smtps://HOST:PORT    TLS from the first byte
                       lmtp://HOST:PORT, lmtps://HOST:PORT, lmtp+unix:PATH, smtp+unix:PATH
                       ?tls=required        nothing without STARTTLS     ?tls=none        no STARTTLS
                       ?auth=required       no mail without AUTH         ?auth=optional   mail without AUTH is anonymous
                       ?auth=none           no AUTH                      ?mode=660        permissions of a UNIX socket
                       ?service=mx          mail from anywhere; default ?service=submission, mail of users
                       ?proxy=LIST          addresses and networks whose connections begin with a PROXY header
                       ?xclient=LIST        addresses and networks whose XCLIENT is taken
                     Port 0 picks one that is free. What a service does unless it is told otherwise:
${policies()}
  --auth SPEC        who may log in; may be given several times, asked in this order; default: a user guest,
                     whose password is made up and printed
${forms(authSpecs)}
  --mechanisms LIST  which SASL mechanisms to offer, with commas; default all that the users can be checked with,
                     but DIGEST-MD5
  --deliver SPEC     where messages go; default console
${forms(deliverSpecs)}
  --notify SPEC      where notifications to senders go, of failures that a client cannot be told, and of success where
                     that is asked for (NOTIFY=SUCCESS): as --deliver, mostly smtp:HOST:PORT; default nowhere
  --hostname NAME    this server's name; default that of the machine
  --tls-cert FILE    the certificate, with its chain, as PEM; read again at SIGHUP
  --tls-key FILE     its key
  --tls-client-ca FILE
                     the authorities of clients' certificates, as PEM; clients are asked for one, which EXTERNAL needs
  --workers N        how many processes serve the ports together, or auto: one for each core; default 1
  --config FILE      a module whose default export is defineConfig({…}); default postern.config.ts or
                     postern.config.js, if there is one in this folder. Options override it.
  --log FORM         pretty, json or silent; on the standard error; default pretty

Options of login. URL is smtp://HOST[:PORT], with STARTTLS unless ?tls=none, or smtps://HOST[:PORT]. The password, or token,
is asked for at the terminal, or is the first line of the standard input.

  --user NAME        who logs in
  --mechanism M      this mechanism only; default: the strongest that the server offers and a password does for
  --authzid Z        whom to act as
  --ca FILE          the authorities that may vouch for the server, as PEM; default those that Node knows

Exit codes of login: 0 logged in, 1 refused, 2 trouble.
Exit codes of the others: 0 after a signal, 1 if the server could not start or broke, 2 for an error in the options.
`;
}

/** The table of esmtp, with each part as it is written in a listener's URL. */
function policies(): string {
  return Object.entries(services)
    .map(([service, { authentication, qualifiedDomains, completeHeader }]) => {
      const parts = [
        `auth=${authentication}`.padEnd(13),
        `qualifiedDomains=${qualifiedDomains ? 'yes' : 'no'}`.padEnd(20),
        `completeHeader=${completeHeader ? 'yes' : 'no'}`,
      ];
      return `                       ${service.padEnd(11)} ${parts.join('  ')}`;
    })
    .join('\n');
}

function forms<T>(specs: SpecForms<T>): string {
  return Array.from(
    specs.values(),
    ({ usage, summary }) => `                       ${usage.padEnd(22)} ${summary}`,
  ).join('\n');
}
