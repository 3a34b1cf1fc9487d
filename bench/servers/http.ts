// node http.ts bare|basic
//
// A page of `node:http`: for each client, or for the user who logs in with Basic.
import { createServer } from 'node:http';
import { AvatarRealm, Identity, InMemoryUsernamePasswordDatabaseDontUse, identityOf, Portal } from '@postern/cred';
import { httpAuth } from '@postern/http';
import { type HttpHandler, nodeLogin } from '@postern/http/node';
import { password, username } from '../account.ts';
import { backlog } from './backlog.ts';
import { tell } from './tell.ts';

const PAGE = 'hello\n';
const HEADERS = { 'Content-Type': 'text/plain', 'Content-Length': PAGE.length };

const server = createServer(process.argv[2] === 'basic' ? withLogin() : sendPage);
server.listen({ port: 0, host: '127.0.0.1', backlog }, () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') tell(address.port);
});

function withLogin(): HttpHandler {
  const users = new InMemoryUsernamePasswordDatabaseDontUse([[username, password]]);
  const portal = new Portal(new AvatarRealm().provide(Identity, identityOf)).register(users);
  const auth = httpAuth({ portal, avatar: Identity, realm: 'bench' });
  const logIn = nodeLogin((request) => auth.authenticate(request));
  return async (request, response) => {
    const login = await logIn(request, response);
    if (login !== undefined) sendPage(request, response);
  };
}

function sendPage(...[, response]: Parameters<HttpHandler>): void {
  response.writeHead(200, HEADERS).end(PAGE);
}
