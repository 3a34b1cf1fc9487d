import { readChain } from './certificate-chain.ts';
import { type Pem, readAll } from './pem.ts';

/** Reads certificates of authorities. Fails where there is none: Node would skip what it cannot read, and trust nobody. */
export async function readAuthorities(label: string, pems: Pem | readonly Pem[]): Promise<Buffer[]> {
  const authorities = await readAll(label, pems);
  for (const pem of authorities) readChain(label, pem);
  return authorities;
}
