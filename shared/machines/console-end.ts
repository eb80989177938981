/** Lines of a console that a failed machine's record keeps. */
const LINES = 20;
const LINE_LENGTH = 200;

/** A reason with what the machine's console said last: control sequences and empty lines left out. */
export function withConsole(reason: string, log: string | undefined): string {
  const lines = (log ?? '')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: terminal control sequences, ECMA-48
    .replace(/\u001b\[[0-9;?]*[A-Za-z]|[\u0000-\u0009\u000b-\u001f]/g, '')
    .split('\n')
    .map((line) => line.trimEnd().slice(0, LINE_LENGTH))
    .filter((line) => line !== '')
    .slice(-LINES);
  return lines.length === 0 ? reason : `${reason}. Its console ends:\n${lines.join('\n')}`;
}
