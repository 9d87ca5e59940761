import { printable, Refusal } from "@sallyport/contracts";
import { Command, Option } from "commander";
import { type Document, isMap, isSeq } from "yaml";
import { collect } from "../../input/collect.ts";
import { note } from "../../output/print.ts";
import { configOption, editConfig } from "./edit.ts";

interface Options {
  issuer: string;
  audience: string;
  algorithm: string[];
  kind: string;
  groupsClaim?: string;
  ownerClaim?: string;
  subjectClaim?: string;
  singleUse?: true;
  network: string[];
  replace?: true;
  config: string;
}

export function addIssuerCommand(): Command {
  return new Command("issuer")
    .description("an OIDC issuer whose tokens sign people, services or pipelines in")
    .argument("<name>", "the first part of its principals' ids")
    .requiredOption("--issuer <url>", "compared exactly with a token's iss")
    .requiredOption("--audience <audience>", "must be in a token's aud")
    .option("--algorithm <name>", "an accepted signature algorithm, ES256 unless said (repeatable)", collect)
    .addOption(
      new Option("--kind <kind>", "what signs in here; only a person may approve")
        .choices(["person", "service", "pipeline"])
        .default("person"),
    )
    .option("--groups-claim <claim>", "the claim that lists groups")
    .option("--owner-claim <claim>", "the claim that names who answers for a service or pipeline")
    .option("--subject-claim <claim>", "the claim that names the principal; sub unless said")
    .option("--single-use", "each token is exchanged once")
    .option("--network <range>", "a range beyond public addresses that may be dialled (repeatable)", collect, [])
    .option("--replace", "put it in the place of the one with this name")
    .addOption(configOption())
    .action(async (name: string, options: Options) => {
      await editConfig(options.config, (document) => putIssuer(document, name, issuerOf(name, options), options.replace ?? false));
      note(`Added issuer ${name} to ${options.config}.`);
    });
}

function issuerOf(name: string, options: Options): object {
  const { issuer, audience, algorithm: algorithms = ["ES256"], kind, groupsClaim, ownerClaim, subjectClaim, singleUse, network } = options;
  const claims = Object.entries({ groups: groupsClaim, owner: ownerClaim, subject: subjectClaim }).flatMap(([key, claim]) =>
    claim === undefined ? [] : [[key, { claim }]],
  );
  return {
    name,
    issuer,
    audience,
    algorithms,
    ...(kind === "person" ? {} : { kind }),
    ...Object.fromEntries(claims),
    ...(singleUse === undefined ? {} : { singleUse }),
    ...(network.length === 0 ? {} : { network }),
  };
}

/** Issuers are a list, so one is found by its name. */
function putIssuer(document: Document, name: string, issuer: object, replace: boolean): void {
  const at = indexOfIssuer(document, name);
  if (at >= 0 && !replace)
    throw new Refusal("INVALID_REQUEST", `There is an issuer ${printable(name)} already; --replace puts this one in its place.`);
  const node = document.createNode(issuer, { flow: true });
  if (at >= 0) document.setIn(["trust", "oidc", at], node);
  else if (isSeq(document.getIn(["trust", "oidc"]))) document.addIn(["trust", "oidc"], node);
  else document.setIn(["trust", "oidc"], [node]);
}

/** Where an issuer stands in the list; -1 where there is none of this name. */
export function indexOfIssuer(document: Document, name: string): number {
  const issuers = document.getIn(["trust", "oidc"]);
  return isSeq(issuers) ? issuers.items.findIndex((item) => isMap(item) && item.get("name") === name) : -1;
}
