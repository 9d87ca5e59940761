/** Bytes that a token may consist of, by name. */
export const charsets = {
  alnum: /[A-Za-z0-9]/,
  base32: /[A-Z2-7]/,
  hex: /[0-9a-f]/i,
  base64: /[A-Za-z0-9+/=]/,
  base64url: /[A-Za-z0-9_-]/,
  dotted: /[A-Za-z0-9._-]/,
  upper: /[A-Z0-9]/,
  lower: /[a-z0-9]/,
} as const;

/** A credential that its issuer begins with a text of its own. */
export interface Token {
  readonly category: string;
  /** At least two bytes; it begins where no letter, digit or `_` stands before. */
  readonly prefix: string;
  readonly charset: keyof typeof charsets;
  /** Bytes after the prefix. */
  readonly min: number;
  /** Given: what goes on in letters, digits or `_` after so many is something else. Left out: it is as long as it is. */
  readonly max?: number;
}

const each = (category: string, prefixes: string, charset: Token["charset"], min: number, max?: number): Token[] =>
  prefixes.split(" ").map((prefix) => ({ category, prefix, charset, min, ...(max === undefined ? {} : { max }) }));

/** Credentials by their issuers' documented forms. What issuers publish on purpose (Stripe's `pk_`, Twilio's `AC`) is none. */
export const tokens: readonly Token[] = [
  ...each("aws-key", "AKIA ASIA ABIA ACCA", "base32", 16, 16),
  ...each("gcp-key", "AIza", "base64url", 35, 35),
  ...each("gcp-key", "GOCSPX-", "base64url", 28, 28),
  ...each("gcp-key", "ya29.", "base64url", 20),
  ...each("azure-key", "AccountKey= SharedAccessKey= SharedAccessSignature=", "base64", 43),
  ...each("github-token", "ghp_ gho_ ghu_ ghs_ ghr_", "alnum", 36),
  ...each("github-token", "github_pat_", "base64url", 60),
  ...each("gitlab-token", "glpat- gldt- glrt- glcbt- glptt- glft- glsoat- glimt- glagent- gloas-", "dotted", 20),
  ...each("slack-token", "xoxb- xoxp- xoxa- xoxe- xoxr- xoxs- xoxo- xapp- xoxe.xoxp- xoxe.xoxb-", "base64url", 20),
  ...each("stripe-key", "sk_live_ sk_test_ rk_live_ rk_test_", "alnum", 16),
  ...each("stripe-key", "whsec_", "base64", 24),
  ...each("openai-key", "sk-proj- sk-svcacct- sk-admin-", "base64url", 40),
  ...each("openai-key", "sk-", "alnum", 48, 48),
  ...each("anthropic-key", "sk-ant-", "base64url", 32),
  ...each("npm-token", "npm_", "alnum", 36, 36),
  ...each("pypi-token", "pypi-AgEIcHlwaS5vcmc pypi-AgENdGVzdC5weXBpLm9yZw", "base64url", 50),
  ...each("other-token", "hf_", "alnum", 34, 40),
  ...each("other-token", "dop_v1_ doo_v1_ dor_v1_", "hex", 64, 64),
  ...each("other-token", "shpat_ shpca_ shppa_ shpss_", "hex", 32, 32),
  ...each("other-token", "SG.", "dotted", 60),
  ...each("other-token", "dckr_pat_ dckr_oat_", "base64url", 27),
  ...each("other-token", "hvs. hvb. hvr.", "base64url", 24),
  ...each("other-token", "glsa_", "base64url", 41),
  ...each("other-token", "rubygems_", "hex", 48, 48),
  ...each("other-token", "SK", "hex", 32, 32),
  ...each("other-token", "dapi", "hex", 32, 34),
  ...each("other-token", "lin_api_", "alnum", 40),
  ...each("other-token", "ntn_", "alnum", 40),
  ...each("other-token", "figd_", "base64url", 40),
  ...each("other-token", "PMAK-", "base64url", 59),
  ...each("other-token", "gsk_", "alnum", 52),
  ...each("other-token", "xai-", "alnum", 80),
  ...each("other-token", "r8_", "alnum", 37),
  ...each("other-token", "AGE-SECRET-KEY-1", "upper", 58, 58),
];
