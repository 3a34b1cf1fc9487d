// npm's smtp-server as users start it, without types to strip. Prints a line when it listens.
import { SMTPServer } from 'smtp-server';

const server = new SMTPServer({
  logger: false,
  onAuth: (auth, _session, callback) => callback(null, { user: auth.username }),
  onData: (stream, _session, callback) => stream.resume().on('end', callback),
});
const { server: listener } = server;
listener.listen({ port: 0, host: '127.0.0.1' }, () => {
  console.log(`listening smtp://127.0.0.1:${listener.address().port}`);
});
