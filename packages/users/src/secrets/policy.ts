import { DEFAULT_ITERATIONS, type ScramHash } from '@postern/sasl';
import type { Argon2Cost } from './argon2.ts';

/**
 * The forms in which new passwords are stored: an argon2id hash for mechanisms that send the
 * password, and SCRAM records for those that prove it.
 */
export interface PasswordPolicy {
  readonly argon2id: Argon2Cost;
  /** One SCRAM record each, at most one for a hash. Empty: no SCRAM. */
  readonly scram: readonly ScramCost[];
}

/** The cost of one SCRAM record. */
export interface ScramCost {
  readonly hash: ScramHash;
  /** 4,096 to 10,000,000. Clients of Cyrus SASL refuse more than 65,536. */
  readonly iterations: number;
}

/**
 * The policy of today: argon2id with 19 MiB and two passes, as OWASP recommends, and SCRAM-SHA-256
 * with 60,000 iterations.
 */
export const defaultPolicy: PasswordPolicy = {
  argon2id: { memory: 19_456, passes: 2, parallelism: 1 },
  scram: [{ hash: 'sha256', iterations: DEFAULT_ITERATIONS }],
};
