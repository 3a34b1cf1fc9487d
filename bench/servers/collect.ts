// A module to load before a server (`node --expose-gc --import`): collects garbage when the bench
// asks for it. It does not keep the process alive.
import { collect } from './tell.ts';

process.on('message', () => {
  collect();
  process.send?.('collected');
});
process.channel?.unref();
