/**
 * A command as a shell splits it into words: quotes and backslashes, but no variables and no patterns. docker compose splits
 * `command` and `entrypoint` that are texts so.
 * @returns undefined if a quote is not closed
 */
export function shellWords(text: string): readonly string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let at = 0; at < text.length; at += 1) {
    const letter = text[at] ?? '';
    if (quote === "'") {
      if (letter === "'") quote = '';
      else word += letter;
    } else if (letter === '\\' && (quote === '' || /["\\$`\n]/.test(text[at + 1] ?? ''))) {
      at += 1;
      if (text[at] !== '\n') word = (word ?? '') + (text[at] ?? '');
    } else if (quote === '"') {
      if (letter === '"') quote = '';
      else word += letter;
    } else if (letter === "'" || letter === '"') {
      quote = letter;
      word ??= '';
    } else if (/\s/.test(letter)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? '') + letter;
  }
  if (word !== undefined) words.push(word);
  return quote === '' ? words : undefined;
}
