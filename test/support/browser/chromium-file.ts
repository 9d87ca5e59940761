import { onPath } from "../servers/on-path.ts";

/** The browser that tests drive: one that the environment names, else Debian's. */
export const chromiumFile = (): string => process.env.SALLYPORT_TEST_CHROMIUM ?? onPath("chromium") ?? "/usr/bin/chromium";
