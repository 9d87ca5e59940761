import { parentPort } from "node:worker_threads";
import * as ns from "./namespaces.ts";
import { ruleOf, type SamlRule, samlRefused } from "./saml-refusals.ts";
import type { SignatureAnswer, SignatureQuestion } from "./signature-thread.ts";
import { signatureOf, verifiedXml } from "./verify-signature.ts";
import { parseXml } from "./xml-element.ts";

/** The thread's whole work; what it fails at by a fault of its own ends it. */
function answerTo({ xml, of, certificates }: SignatureQuestion): SignatureAnswer {
  try {
    const root = parseXml(xml);
    const element = of === "root" ? root : root.only(ns.assertion, "Assertion");
    const signature = element && signatureOf(element);
    if (element === undefined || signature === undefined) throw samlRefused("unsigned");
    return { verified: verifiedXml(xml, element, signature, certificates) };
  } catch (error) {
    const rule = ruleOf(error);
    if (rule === undefined) throw error;
    return { rule: rule as SamlRule };
  }
}

parentPort?.on("message", (question: SignatureQuestion) => parentPort?.postMessage(answerTo(question)));
