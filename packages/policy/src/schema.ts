/** The schema that every policy is validated against; `sallyport.cedarschema` beside this package is the same, to be read and given to editors. */
export const schema = `// What policies may speak of. A policy that reads anything else is refused when it is loaded.

// A group of the identity provider's: "<provider>/<group>".
entity Group;

// A label that secrets carry: "payments", "high-value".
entity Category;

// A person, a service account or a pipeline: "<provider>/<subject>". \`kind\` is "person", "service" or "pipeline".
entity User in [Group] { kind: String, provider: String };

// A process that acts for a User: "<provider>/<subject>#<name>/<name>/…". It is in its user (and so in the user's groups)
// and in the agent that started it. \`kind\` is "agent"; \`depth\` is 1 for an agent that the user started itself.
entity Agent in [User, Agent] { kind: String, provider: String, name: String, depth: Long };

// A secret's name in a store: "prod/orders/api". \`name\` is the same text, to be matched with \`like\`.
entity Secret in [Category] { name: String };

// A connection where a secret may be used: "orders-api".
entity Target { name: String };

// This installation: Installation::"sallyport".
entity Installation;

// The broker uses the value at a target. \`method\` and \`path\` are there where the target speaks HTTP.
action use appliesTo {
  principal: [User, Agent],
  resource: [Secret],
  context: { approvals: Set<String>, target: Target, method?: String, path?: String },
};

// See the name in a listing; see that it exists, with fields, version, age; store a new version; receive the value sealed;
// receive a short-lived credential.
action list, read, write, reveal, lease appliesTo {
  principal: [User, Agent],
  resource: [Secret],
  context: { approvals: Set<String> },
};

// Vote on an access request for this secret, or for what concerns none.
action approve appliesTo {
  principal: [User, Agent],
  resource: [Secret, Installation],
  context: { approvals: Set<String> },
};

// Start a child agent. \`agent\` is the child's id, \`name\` its own part of it; \`actions\`, \`secrets\` and \`targets\` are the names in
// its ceiling; \`ticket\` is "bound" to the child's key, or "unbound".
action delegate appliesTo {
  principal: [User, Agent],
  resource: [Installation],
  context: {
    approvals: Set<String>,
    agent?: String,
    name?: String,
    ticket?: String,
    actions?: Set<String>,
    secrets?: Set<String>,
    targets?: Set<String>,
  },
};

// End sessions: what is ended, by the one of these that was named.
action revoke appliesTo {
  principal: [User, Agent],
  resource: [Installation],
  context: { approvals: Set<String>, sessionId?: String, principal?: String, provider?: String, agent?: String },
};

// Read evidence and recorded sessions; operate the installation.
action replay, administer appliesTo {
  principal: [User, Agent],
  resource: [Installation],
  context: { approvals: Set<String> },
};
`;
