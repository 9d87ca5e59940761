/** Whether JSON nests deeper than some levels; to be asked before any recursive reader sees it. */
export function nestsDeeper(text: string, levels: number): boolean {
  let depth = 0;
  let inString = false;
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (inString) {
      if (character === "\\") index++;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === "{" || character === "[") {
      if (++depth > levels) return true;
    } else if (character === "}" || character === "]") depth--;
  }
  return false;
}
