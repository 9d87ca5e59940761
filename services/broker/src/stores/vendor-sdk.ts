import { Refusal } from "@sallyport/contracts";

/**
 * A vendor's SDK, loaded when a store of its kind is configured: it is heavy, and most installations need none.
 * @throws Refusal INVALID_REQUEST which says how to install it
 */
export async function loadSdk<T>(store: string, name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") throw cause;
    throw new Refusal(
      "INVALID_REQUEST",
      `stores.${store}: this kind of store needs the package ${name}, which is not installed; run: npm install ${name}`,
      { cause },
    );
  }
}
