/** How many connections may wait to be accepted; more than Node's 511, which a burst of new connections overflows. */
export const backlog = 4096;
