import type { Challenger } from '../challenger.ts';
import { type ScramOptions, scram } from './challenger.ts';
import type { ScramCredentials } from './credentials.ts';
import { SCRAM_HASHES, type ScramHash } from './hashes.ts';

/**
 * Returns the challengers of the whole family, with and without -PLUS. `plusOffered` says for a
 * mechanism without -PLUS whether the one with it is offered too. `false` says that no -PLUS
 * mechanism is: then the hashes that GNU SASL knows are unavailable under TLS.
 */
export function scramFamily(
  options: Omit<ScramOptions, 'hash'> | undefined,
  plusOffered: boolean | ((mechanism: string) => boolean),
): readonly Challenger<ScramCredentials>[] {
  return (Object.keys(SCRAM_HASHES) as ScramHash[]).flatMap((hash) => {
    const { mechanism, needsPlusUnderTls } = SCRAM_HASHES[hash];
    const isPlusOffered = typeof plusOffered === 'boolean' ? plusOffered : plusOffered(mechanism);
    const onlyWithoutTls = plusOffered === false && needsPlusUnderTls;
    return [
      scram({ ...options, hash, plus: true }),
      scram({ ...options, hash, plusOffered: isPlusOffered, onlyWithoutTls }),
    ];
  });
}
