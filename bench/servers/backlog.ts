/** The connections that may wait to be accepted. A burst overflows Node's default of 511. */
export const backlog = 4096;
