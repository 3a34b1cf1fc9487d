// node misbehave.ts PORT...: behaves badly on these ports, on many connections at a time.
import { finish, untilStopped } from '../child.ts';
import { misbehave } from './bad-clients.ts';

const CONNECTIONS = 60;
const stop = new AbortController();
const ports = process.argv.slice(2).map(Number);
const visits = Array.from({ length: CONNECTIONS }, () => misbehave(ports, stop.signal));
await untilStopped('ready');
stop.abort();
await Promise.all(visits);
finish('done');
