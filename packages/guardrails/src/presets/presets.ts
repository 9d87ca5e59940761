import type { Rule } from "../rules/rule.ts";

/** Names under which APIs take an address that they call, or send a browser, later. */
const callbackNames = [
  ...["callback", "callback_url", "callback_uri", "notify_url", "notification_url", "webhook", "webhook_url", "hook_url", "postback_url"],
  ...[
    "response_url",
    "target_url",
    "endpoint_url",
    "redirect_uri",
    "redirect_url",
    "return_url",
    "success_url",
    "cancel_url",
    "push_endpoint",
  ],
];

const always = (name: string, because: string, ...calls: readonly (readonly [string, string])[]): Rule[] =>
  calls.map(([methods, path]) => ({ name, when: { methods: methods.split(" "), path }, block: "always" as const, because }));

/**
 * Built-in rules, each off until a target's configuration names it: against what would send a secret, or what was read with it, elsewhere,
 * reflect it, or write it where others read it.
 */
export const presets: Readonly<Record<string, readonly Rule[]>> = {
  "no-callbacks": [
    {
      name: "no-callbacks",
      block: { fields: { names: callbackNames, value: { otherHosts: ["self"] } } },
      because: "A callback address would make this API send what happens here to another host.",
    },
  ],
  "github/no-webhooks": always(
    "github/no-webhooks",
    "A webhook would send what happens here to another host for as long as it stands.",
    ["POST", "/repos/{owner}/{repo}/hooks"],
    ["PATCH", "/repos/{owner}/{repo}/hooks/{id}"],
    ["PATCH", "/repos/{owner}/{repo}/hooks/{id}/config"],
    ["POST", "/orgs/{org}/hooks"],
    ["PATCH", "/orgs/{org}/hooks/{id}"],
    ["PATCH", "/orgs/{org}/hooks/{id}/config"],
    ["PATCH", "/app/hook/config"],
  ),
  "github/no-gists": always(
    "github/no-gists",
    "A gist is read by whoever has its address.",
    ["POST", "/gists"],
    ["PATCH", "/gists/{id}"],
    ["POST", "/gists/{id}/comments"],
    ["PATCH", "/gists/{id}/comments/{comment}"],
    ["POST", "/gists/{id}/forks"],
  ),
  "github/no-new-credentials": always(
    "github/no-new-credentials",
    "A new key, secret or member is a way in that outlives this agent.",
    ["POST", "/repos/{owner}/{repo}/keys"],
    ["POST", "/user/keys"],
    ["POST", "/user/gpg_keys"],
    ["PUT", "/repos/{owner}/{repo}/collaborators/{user}"],
    ["PUT", "/repos/{owner}/{repo}/actions/secrets/{name}"],
    ["PUT", "/repos/{owner}/{repo}/dependabot/secrets/{name}"],
    ["PUT", "/repos/{owner}/{repo}/codespaces/secrets/{name}"],
    ["PUT", "/orgs/{org}/actions/secrets/{name}"],
    ["POST", "/repos/{owner}/{repo}/actions/runners/registration-token"],
    ["POST", "/app/installations/{id}/access_tokens"],
  ),
  "gitlab/no-webhooks": always(
    "gitlab/no-webhooks",
    "A webhook would send what happens here to another host for as long as it stands.",
    ["POST", "/api/v4/projects/{id}/hooks"],
    ["PUT", "/api/v4/projects/{id}/hooks/{hook}"],
    ["POST", "/api/v4/groups/{id}/hooks"],
    ["PUT", "/api/v4/groups/{id}/hooks/{hook}"],
    ["POST", "/api/v4/hooks"],
  ),
  "gitlab/no-snippets": always(
    "gitlab/no-snippets",
    "A snippet may be read by whoever has its address.",
    ["POST", "/api/v4/snippets"],
    ["PUT", "/api/v4/snippets/{id}"],
    ["POST", "/api/v4/projects/{id}/snippets"],
    ["PUT", "/api/v4/projects/{id}/snippets/{snippet}"],
  ),
  "s3/no-public-access": [
    ...["acl", "policy", "website", "replication", "notification", "cors", "publicAccessBlock", "ownershipControls"].flatMap(
      (what): Rule[] => [
        {
          name: "s3/no-public-access",
          when: { methods: ["PUT", "DELETE"] },
          block: { query: { [what]: { present: true } } },
          because: "Who else may read a bucket, and where it sends what, is not an agent's to say.",
        },
      ],
    ),
    ...[
      "x-amz-acl",
      "x-amz-grant-read",
      "x-amz-grant-full-control",
      "x-amz-grant-read-acp",
      "x-amz-grant-write",
      "x-amz-website-redirect-location",
    ].map(
      (header): Rule => ({
        name: "s3/no-public-access",
        when: { methods: ["PUT", "POST"] },
        block: { headers: { [header]: { present: true } } },
        because: "Who else may read an object is not an agent's to say.",
      }),
    ),
  ],
  "slack/no-outside": always(
    "slack/no-outside",
    "A file, a shared channel or a public link can be read outside the workspace.",
    ["POST", "/api/files.sharedPublicURL"],
    ["GET", "/api/files.sharedPublicURL"],
    ["POST", "/api/conversations.inviteShared"],
    ["GET", "/api/conversations.inviteShared"],
  ),
};
