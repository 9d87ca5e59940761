const unitSeconds = { s: 1, m: 60, h: 3600 } as const;

/** `90s`, `30m`, `2h` in seconds; undefined where it is something else, zero, or longer than `maxSeconds`. */
export function parseDuration(text: string, maxSeconds: number): number | undefined {
  const match = /^(?<count>[1-9]\d{0,5})(?<unit>[smh])$/.exec(text);
  if (match?.groups === undefined) return undefined;
  const seconds = Number(match.groups.count) * unitSeconds[match.groups.unit as keyof typeof unitSeconds];
  return seconds <= maxSeconds ? seconds : undefined;
}
