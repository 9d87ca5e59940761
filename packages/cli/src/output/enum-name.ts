/** A value of a generated enum as people write it: `not-needed`. */
export const enumName = (values: Readonly<Record<string, number>>, value: number): string =>
  (Object.entries(values).find(([, known]) => known === value)?.[0] ?? "unknown").toLowerCase().replaceAll("_", "-");
