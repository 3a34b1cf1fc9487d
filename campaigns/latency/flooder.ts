// node flooder.ts KIND PORT CONNECTIONS: holds this many connections, and sends on each what its
// kind says, as fast as it is answered.
import { connect } from 'node:net';
import { finish, untilStopped } from '../child.ts';
import { FLOODS, type Flood } from './floods.ts';

const [kind = '', port, connections] = process.argv.slice(2);
const flood = FLOODS.get(kind);
if (flood === undefined) throw new Error(`expected one of ${[...FLOODS.keys()].join(', ')}, not ${kind}`);
const OPEN_MS = 60_000;
const REOPEN_MS = 20;
const SLOW_READ_MS = 50;
const state = { answers: 0, greeted: new Set<number>(), stopped: false };
const opened = Promise.withResolvers<void>();
for (let index = 0; index < Number(connections); index++) hold(flood, index);
const late = setTimeout(
  () => opened.reject(new Error(`${state.greeted.size} of ${connections} connections came in`)),
  OPEN_MS,
);
await opened.promise;
clearTimeout(late);
await untilStopped('ready');
state.stopped = true;
finish(state.answers);

/** Holds one connection, and opens it again where it ends. */
function hold(flood: Flood, index: number): void {
  const { first, batch, perAddress, readsSlowly = false, user } = flood;
  const login = user === undefined ? '' : `USER ${user}${index}@example.com\r\nPASS pw\r\n`;
  const block = Math.floor(index / perAddress);
  const localAddress = `127.${2 + (block >> 16)}.${(block >> 8) & 0xff}.${1 + ((block & 0xff) % 250)}`;
  const socket = connect({ port: Number(port), host: '127.0.0.1', localAddress });
  let isGreeted = false;
  socket.on('data', (octets) => {
    state.answers += 1;
    if (!isGreeted) {
      isGreeted = true;
      state.greeted.add(index);
      if (state.greeted.size === Number(connections)) opened.resolve();
      socket.write(login + first);
    } else if (batch !== '' && socket.writableLength === 0 && octets.length > 0) socket.write(batch);
    if (readsSlowly) {
      socket.pause();
      setTimeout(() => socket.resume(), SLOW_READ_MS);
    }
  });
  socket.on('error', () => socket.destroy());
  socket.once('close', () => {
    if (!state.stopped) setTimeout(() => hold(flood, index), REOPEN_MS);
  });
}
