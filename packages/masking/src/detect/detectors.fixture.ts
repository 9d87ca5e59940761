/** For each category, what it finds, alone in each text; published examples and forms, none of which opens anything. */
const token = (prefix: string, length: number, of = "aB3dE5gH7j") => prefix + of.repeat(Math.ceil(length / of.length)).slice(0, length);

export const findings: Readonly<Record<string, readonly string[]>> = {
  "private-key": [
    "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nMIIEowIB/AAK+CAQ==\n-----END RSA PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----\\nMIIEvQ\\n-----END PRIVATE KEY-----",
    "-----BEGIN OPENSSH PRIVATE KEY-----\r\nb3BlbnNzaC1rZXktdjEA\r\n-----END OPENSSH PRIVATE KEY-----",
    "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQOYBF\n=abcd\n-----END PGP PRIVATE KEY BLOCK-----",
  ],
  jwt: [
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
    "eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA",
  ],
  "aws-key": ["AKIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE"],
  "gcp-key": [token("AIza", 35), token("GOCSPX-", 28), token("ya29.", 60)],
  "azure-key": [`${token("AccountKey=", 86)}==`, `${token("SharedAccessKey=", 43)}=`],
  "azure-secret": [token("abc8Q~", 34)],
  "github-token": [token("ghp_", 36), token("ghs_", 36), token("github_pat_", 82)],
  "gitlab-token": [token("glpat-", 20), token("glrt-", 20)],
  "slack-token": [token("xoxb-", 50), token("xapp-1-", 60), token("xoxe.xoxp-", 60)],
  "stripe-key": [token("sk_live_", 24), token("rk_test_", 24), token("whsec_", 32)],
  "openai-key": [token("sk-", 48), token("sk-proj-", 100)],
  "anthropic-key": [token("sk-ant-api03-", 95)],
  "npm-token": [token("npm_", 36)],
  "pypi-token": [token("pypi-AgEIcHlwaS5vcmc", 150)],
  "other-token": [
    token("hf_", 34),
    token("dop_v1_", 64, "0123456789abcdef"),
    token("SG.", 66),
    token("hvs.", 90),
    token("SK", 32, "0123456789abcdef"),
  ],
  card: [
    ...[
      "4111111111111111",
      "5555555555554444",
      "378282246310005",
      "6011111111111117",
      "3566002020360505",
      "2223003122003222",
      "36227206271667",
    ],
    ...["4111 1111 1111 1111", "4111-1111-1111-1111", "3782 822463 10005"],
  ],
  iban: ["DE89370400440532013000", "GB29 NWBK 6016 1331 9268 19", "NO9386011117947", "fr1420041010050500013m02606"],
  "us-ssn": ["536-90-4399"],
  "de-steuer-id": ["86 095 742 719"],
  "es-dni": ["12345678Z", "12345678-Z", "X1234567L", "X-1234567-L"],
  "fr-nir": ["255081416802538", "2 55 08 14 168 025 38", "253072B07300470"],
  "it-codice-fiscale": ["RCCMNL83S18D969H"],
  "br-cpf": ["390.533.447-05"],
  email: ["alice.b+tag@example.co.uk", "bob%40example.com"],
  phone: ["+4930123456", "+49 30 1234567", "+49 (0)30 1234567", "+1-212-555-0123", "(212) 555-0123"],
};

/** What is found only near a word: that word, and the number. */
export const near: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  "aws-secret": [["aws_secret_access_key=", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"]],
  "us-ssn": [["ssn: ", "536904399"]],
  "de-steuer-id": [["Steuer-ID ", "86095742719"]],
  "pl-pesel": [["PESEL: ", "44051401359"]],
  "nl-bsn": [["BSN ", "111222333"]],
  "br-cpf": [["cpf=", "39053344705"]],
  "in-aadhaar": [["Aadhaar no. ", "2341 2341 2346"]],
};
