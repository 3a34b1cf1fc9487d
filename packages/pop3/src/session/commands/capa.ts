import { capabilityReply } from '../../protocol/capabilities.ts';
import type { State } from '../state.ts';

/** CAPA (RFC 2449 §5). */
export function capa(state: State): string {
  return capabilityReply(state.capabilityFacts);
}
