/** Why a policy cannot be served, and where it says so. Lines and columns count from 1. */
export interface PolicyProblem {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** `payments.cedar:12:3: unrecognized action …` */
export const problemText = (problem: PolicyProblem): string => `${problem.file}:${problem.line}:${problem.column}: ${problem.message}`;
