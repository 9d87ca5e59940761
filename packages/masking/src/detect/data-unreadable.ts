/** Rules speak of JSON members, and this is no JSON. */
export class DataUnreadable extends Error {
  override readonly name = "DataUnreadable";
}
