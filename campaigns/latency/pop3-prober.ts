import { Pop3Client } from '../../test/support/pop3-client.ts';
import type { OpenProber } from './prober.ts';

export function pop3Prober(port: number): OpenProber {
  return (localAddress) => Pop3Client.logIn(port, 'prober@example.com', 'pw', localAddress);
}
