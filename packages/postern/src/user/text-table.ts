/**
 * Turns rows into the lines of a table with a heading, a block of lines at a time. The first
 * {@link SAMPLE_ROWS} rows decide the widths of the columns, so that a table of any length takes
 * the same memory; a longer cell of a later row moves the rest of its line.
 */
export async function* textTable(
  heading: readonly string[],
  rows: AsyncIterable<readonly string[]>,
): AsyncGenerator<string> {
  let widths: readonly number[] | undefined;
  let block: (readonly string[])[] = [heading];
  const lines = (): string => {
    const known = widths ?? widthsOf(block);
    widths = known;
    const text = block.map((row) => lineOf(row, known)).join('');
    block = [];
    return text;
  };
  for await (const row of rows) {
    block.push(row);
    if (block.length > SAMPLE_ROWS) yield lines();
  }
  if (block.length > 0) yield lines();
}

function widthsOf(rows: readonly (readonly string[])[]): readonly number[] {
  const [heading = []] = rows;
  return heading.map((_name, column) => Math.max(...rows.map((row) => lengthOf(row[column] ?? ''))));
}

function lineOf(row: readonly string[], widths: readonly number[]): string {
  const cells = row.map((cell, column) => cell + ' '.repeat(Math.max((widths[column] ?? 0) - lengthOf(cell), 0)));
  return `${cells.join('  ').trimEnd()}\n`;
}

function lengthOf(cell: string): number {
  return Array.from(cell).length;
}

const SAMPLE_ROWS = 200;
