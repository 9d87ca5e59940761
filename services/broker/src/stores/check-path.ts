import type { Store } from "@sallyport/service";
import { kvPath } from "./openbao/kv-path.ts";
import { refusals } from "./refusals.ts";

/** What a secret's path may be in each kind of store, so that a wrong one is found at the start. @throws Refusal INVALID_REQUEST */
export function checkPath(store: Store, path: string): void {
  switch (store.kind) {
    case "file":
      return;
    case "openbao":
      kvPath(store.mount, path);
      return;
    case "environment":
      return must(path, /^[A-Za-z0-9_]{1,128}$/, "it is the rest of a variable's name, of letters, digits and _");
    case "kubernetes":
      return must(path, /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/, "it is the name of a Secret, of lower-case letters, digits, - and .");
    case "aws-secrets-manager":
      return must(path, /^[A-Za-z0-9/_+=.@-]{1,512}$/, "it is a secret's name, of letters, digits and /_+=.@-");
    case "gcp-secret-manager":
      return must(path, /^[A-Za-z0-9_-]{1,255}$/, "it is a secret's id, of letters, digits, - and _");
    case "azure-key-vault":
      return must(path, /^[A-Za-z0-9-]{1,127}$/, "it is a secret's name, of letters, digits and -");
  }
}

function must(path: string, pattern: RegExp, what: string): void {
  if (!pattern.test(path)) throw refusals.noPath(path, what);
}
