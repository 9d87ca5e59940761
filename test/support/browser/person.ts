import type { Browser, BrowserContext, Page } from "playwright-core";
import { password } from "../keycloak/realm.ts";

/** Milliseconds for a page to come, on a machine that has other things to do. */
const patienceMs = 60_000;

export interface Looks {
  readonly colorScheme?: "light" | "dark";
  readonly width?: number;
  readonly height?: number;
}

/** A person at a real browser, which knows nothing of anybody before. */
export class BrowserPerson {
  readonly page: Page;
  /** What the browser complained of, by the address of what it was about: scripts, styles, policies. */
  readonly complaints: { readonly url: string; readonly text: string }[] = [];
  readonly #context: BrowserContext;
  readonly #name: string;

  private constructor(context: BrowserContext, page: Page, name: string) {
    this.#context = context;
    this.page = page;
    this.#name = name;
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type()))
        this.complaints.push({ url: message.location().url || page.url(), text: message.text() });
    });
    page.on("pageerror", (error) => this.complaints.push({ url: page.url(), text: error.message }));
  }

  static async at(
    browser: Browser,
    name: string,
    { colorScheme = "light", width = 900, height = 640 }: Looks = {},
  ): Promise<BrowserPerson> {
    const context = await browser.newContext({ colorScheme, viewport: { width, height } });
    context.setDefaultTimeout(patienceMs);
    return new BrowserPerson(context, await context.newPage(), name);
  }

  async open(url: string): Promise<void> {
    await this.page.goto(url, { waitUntil: "load" });
  }

  /** Fills in Keycloak's form and sends it. */
  async signIn(typed: string = password): Promise<void> {
    await this.page.locator("#username").fill(this.#name);
    await this.page.locator("#password").fill(typed);
    await this.page.locator("#kc-login").click();
  }

  async press(name: string | RegExp): Promise<void> {
    await this.page.getByRole("button", { name }).click();
  }

  /** Waits for a page with this heading. */
  async sees(heading: string | RegExp): Promise<void> {
    await this.page.getByRole("heading", { name: heading, level: 1 }).waitFor();
  }

  async text(): Promise<string> {
    return (await this.page.locator("body").textContent()) ?? "";
  }

  close(): Promise<void> {
    return this.#context.close();
  }
}
