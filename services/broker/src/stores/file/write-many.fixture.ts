import { systemClock } from "@sallyport/service";
import { FileStore } from "./file-store.ts";

const [path, key, name] = process.argv.slice(2) as [string, string, string];
const store = await FileStore.open("dev", { kind: "file", path, key: `file:${key}` }, systemClock);
for (let at = 0; at < 5; at++) await store.write("shared", new Map([[`${name}${at}`, Buffer.from(`value-of-${name}${at}`)]]));
