import assert from "node:assert/strict";
import { MaskSet, placeholderFor } from "@sallyport/masking";
import { MessageLook } from "./message-look.ts";

const value = "Zq7kP9tRwx42";
const pem = "-----BEGIN KEY-----\nqLm3TzX8vB1nC5d7\n-----END KEY-----";
const look = () =>
  new MessageLook(
    MaskSet.compile([value, pem].map((each, at) => ({ placeholder: placeholderFor("orders", `f${at}`), value: Buffer.from(each) }))),
  );
const message = (text: string) => Buffer.from(text);

describe("the messages of a WebSocket", () => {
  it("a value cut over two is seen when it is complete, and its first part is undecided", () => {
    const messages = look();
    const first = messages.look(message('{"d":"Zq7kP9"}'));
    assert.deepEqual([first.found, first.undecided, first.completes], [0, true, false]);
    assert.equal(messages.look(message('{"d":"tRwx42"}')).completes, true);
  });

  it("and so it is after a message that held values by itself, over lines or not", () => {
    for (const echoed of [pem, pem.replaceAll("\n", " "), `${value} ${value}`, `${value.slice(0, 5)}\n${value.slice(5)}`]) {
      const messages = look();
      const whole = messages.look(message(echoed));
      assert.equal(whole.completes, false, echoed);
      messages.look(message('{"d":"Zq7kP9"}'));
      assert.equal(messages.look(message('{"d":"tRwx42"}')).completes, true, echoed);
    }
  });

  it("benign twin: what is no value passes, decided, as it is", () => {
    const messages = look();
    for (const text of ["hello", '{"d":"Zq7kP"}', '{"d":"and something else"}', "a\nb\r\nc"]) {
      const seen = messages.look(message(text));
      assert.deepEqual([Buffer.from(seen.masked).toString(), seen.found, seen.completes], [text, 0, false]);
    }
    assert.equal(messages.look(message("the end")).undecided, false);
  });
});
