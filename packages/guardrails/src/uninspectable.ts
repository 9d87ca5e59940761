/** What a rule must look at and cannot: nothing that was not understood is let through. `message` goes on from "the request": "has …". */
export class Uninspectable extends Error {
  override readonly name = "Uninspectable";
}
