/**
 * Returns how much memory a path with its parameters takes, in octets, by the length of its command
 * line. Its texts are views of the line, which stays for them, and UTF-8 may take two octets a character.
 */
export function envelopeCost(lineOctets: number): number {
  return OBJECTS + 2 * lineOctets;
}

/** The objects that the texts are in, here and in a delivery: octets. */
const OBJECTS = 512;
