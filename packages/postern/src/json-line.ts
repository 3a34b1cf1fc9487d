/** Returns a value as one line of JSON that no terminal misreads. */
export function jsonLine(value: unknown): string {
  return `${escapeControls(JSON.stringify(value))}\n`;
}

/**
 * Returns JSON text as a line that no terminal misreads: with escapes for the control characters
 * that JSON leaves as they are.
 */
export function escapeControls(json: string): string {
  return json.replace(TERMINAL_CONTROLS, escaped);
}

function escaped(character: string): string {
  // JSON escapes a character beyond the first plane as its two surrogates.
  return character.replace(/./gs, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The characters that control a terminal and that JSON does not escape. */
const TERMINAL_CONTROLS = /[\u007f-\u009f\u2028\u2029\p{Cf}]/gu;
