/** Prints to the standard error what is under way: the tables alone go to the standard output. */
export function progress(text: string): void {
  console.error(text);
}
