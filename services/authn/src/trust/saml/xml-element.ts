import { DOMParser } from "@xmldom/xmldom/lib/dom-parser.js";
import { type SamlRule, samlRefused } from "./saml-refusals.ts";

/**
 * How much of a document is looked at. A signature's library takes time with the square of its elements, and for each element with the
 * namespaces in scope; each of these bounds is a multiple of what identity providers send, and all of them together some 100 ms.
 */
export interface XmlLimits {
  readonly elements: number;
  /** Of the whole document, declarations of namespaces among them. */
  readonly attributes: number;
}

/** A person's few hundred groups, each with the two namespaces that some identity providers declare for it anew. */
const messageLimits: XmlLimits = { elements: 1_000, attributes: 2_500 };
const maxDepth = 40;
/** Declarations of namespaces from an element up to the root. */
const maxNamespaces = 50;
const maxAttributesOfElement = 100;

const xmlns = "http://www.w3.org/2000/xmlns/";

/** Attributes that some schema or library takes for an element's identity. */
const idNames: ReadonlySet<string> = new Set(["id", "assertionid", "requestid", "responseid"]);

/** The little of a DOM node that is read here. */
interface DomNode {
  readonly nodeType: number;
  readonly localName: string;
  readonly namespaceURI: string | null;
  readonly nodeValue: string | null;
  readonly childNodes: ArrayLike<DomNode>;
  readonly attributes: ArrayLike<{ localName: string; namespaceURI: string | null; value: string }>;
}

/** An element, by namespace and local name: never by prefix. */
export class XmlElement {
  readonly name: string;
  readonly namespace: string;
  readonly children: readonly XmlElement[];
  /** For the library that checks signatures. */
  readonly dom: unknown;
  readonly #node: DomNode;

  constructor(node: DomNode, depth = 0, above = 0) {
    const attributes = Array.from(node.attributes);
    const namespaces = above + attributes.filter(({ namespaceURI }) => namespaceURI === xmlns).length;
    if (depth > maxDepth || namespaces > maxNamespaces || attributes.length > maxAttributesOfElement) throw new TooMuch();
    this.#node = node;
    this.dom = node;
    this.name = node.localName;
    this.namespace = node.namespaceURI ?? "";
    this.children = Array.from(node.childNodes)
      .filter(({ nodeType }) => nodeType === 1)
      .map((child) => new XmlElement(child, depth + 1, namespaces));
  }

  is(namespace: string, name: string): boolean {
    return this.namespace === namespace && this.name === name;
  }

  all(namespace: string, name: string): readonly XmlElement[] {
    return this.children.filter((child) => child.is(namespace, name));
  }

  /** The only child of this name; undefined where there is none, or more than one. */
  only(namespace: string, name: string): XmlElement | undefined {
    const found = this.all(namespace, name);
    return found.length === 1 ? found[0] : undefined;
  }

  /** An attribute that has no namespace. */
  attribute(name: string): string | undefined {
    return Array.from(this.#node.attributes).find((one) => one.localName === name && (one.namespaceURI ?? "") === "")?.value;
  }

  get ids(): readonly string[] {
    return Array.from(this.#node.attributes)
      .filter(({ localName }) => idNames.has((localName ?? "").toLowerCase()))
      .map(({ value }) => value);
  }

  /** All of its text, where it holds nothing but text. */
  get text(): string | undefined {
    const nodes = Array.from(this.#node.childNodes);
    return nodes.every(({ nodeType }) => nodeType === 3) ? nodes.map(({ nodeValue }) => nodeValue ?? "").join("") : undefined;
  }

  /** Itself and everything below it. */
  *everything(): Iterable<XmlElement> {
    yield this;
    for (const child of this.children) yield* child.everything();
  }
}

class TooMuch extends Error {}

/** What it would mend, and complain of on the console in the words of whoever sent it, is no XML. */
const strict = () => {
  const fail = (message: string) => {
    throw new Error(message);
  };
  return new DOMParser({ errorHandler: { warning: fail, error: fail, fatalError: fail } });
};

/** Parses what was screened, by the very parser that the signature library uses. No two elements may have one ID, whoever calls it that. */
export function parseXml(
  text: string,
  refused: (rule: SamlRule, cause?: unknown) => Error = samlRefused,
  { elements, attributes }: XmlLimits = messageLimits,
): XmlElement {
  let root: XmlElement;
  // In the text, as to parse it takes time with the square of an element's attributes. Each begins a value by `="` or `='`.
  if (countOf(text, /<[^/]/g) > elements || countOf(text, /=\s*["']/g) > attributes) throw refused("too-deep");
  try {
    root = new XmlElement(strict().parseFromString(text, "text/xml").documentElement as unknown as DomNode);
  } catch (cause) {
    throw refused(cause instanceof TooMuch ? "too-deep" : "not-xml", cause);
  }
  const ids = new Set<string>();
  for (const element of root.everything()) {
    for (const id of element.ids) {
      if (ids.has(id)) throw refused("duplicate-id");
      ids.add(id);
    }
  }
  return root;
}

function countOf(text: string, pattern: RegExp): number {
  let count = 0;
  for (const _ of text.matchAll(pattern)) count++;
  return count;
}
