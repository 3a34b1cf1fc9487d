/** Dates and times as RFC 5322 §3.3 writes them, in UTC. A busy server asks for the same second again and again: its text is kept. */
export class DateCache {
  #second = Number.NaN;
  #text = '';

  /** Takes milliseconds since 1970. */
  format(time: number): string {
    const second = Math.floor(time / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#text = formatDate(time);
    }
    return this.#text;
  }
}

function formatDate(time: number): string {
  return new Date(time).toUTCString().replace('GMT', '+0000');
}
