/** For an option that may come several times. */
export const collect = (value: string, all: readonly string[] = []): string[] => [...all, value];
