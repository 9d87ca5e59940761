import { Command } from "commander";
import { addIssuerCommand } from "./connections/add-issuer.ts";
import { addSecretCommand } from "./connections/add-secret.ts";
import { addStoreCommand } from "./connections/add-store.ts";
import { addTargetCommand } from "./connections/add-target.ts";
import { listCommand } from "./connections/list.ts";
import { removeCommand } from "./connections/remove.ts";
import { testCommand } from "./connections/test.ts";

/** `sallyport connections …`: edits the configuration in place; comments and order stay. */
export const connectionsCommand = (): Command =>
  new Command("connections")
    .description("see and edit what is connected: stores, secrets, targets, issuers")
    .addCommand(listCommand())
    .addCommand(
      new Command("add")
        .description("add a connection to the configuration")
        .addCommand(addStoreCommand())
        .addCommand(addSecretCommand())
        .addCommand(addTargetCommand())
        .addCommand(addIssuerCommand()),
    )
    .addCommand(testCommand())
    .addCommand(removeCommand());
