export { type Checkpoint, openCheckpoint, parseCheckpoint, signCheckpoint } from "./checkpoint/checkpoint.ts";
export {
  ed25519PublicKey,
  type NoteSigner,
  type NoteVerifier,
  noteSigner,
  noteSignerFromSeed,
  openNote,
  parseVerifierKey,
  rawPublicKey,
  signNote,
  verifierKey,
} from "./checkpoint/signed-note.ts";
export { apiActivity, authentication, authorizeSession, datastoreActivity, entityManagement } from "./classes.ts";
export type { Draft, EvidenceChain, EvidenceLink, EvidenceStatus, Facts, OcsfClass } from "./draft.ts";
export { Frontier } from "./merkle/frontier.ts";
export { emptyRoot, type Hash, leafHash, nodeHash } from "./merkle/hash.ts";
export { consistencyProof, inclusionProof, type Leaves, rootOf, verifyConsistency, verifyInclusion } from "./merkle/proof.ts";
export { type Envelope, type EvidenceRecord, evidenceRecord, finalBytes, maxRecordBytes, type Phase } from "./record.ts";
export { unknownOutcome } from "./unknown-outcome.ts";
export type { Finding, Verification } from "./verify/finding.ts";
export { linesOf } from "./verify/lines.ts";
export {
  checkpointLine,
  defaultRecordsPerSegment,
  type LogFiles,
  type LogManifest,
  noteOfLine,
  parseManifest,
  segmentName,
} from "./verify/log-files.ts";
export { type Place, placeOf, uidOf } from "./verify/place.ts";
export { type VerifyOptions, verifyLog } from "./verify/verify-log.ts";
