// A tool with Node's own fetch and node:https: no option speaks of a proxy or a CA.
import https from "node:https";

const url = process.argv[2];
const answer = await fetch(`${url}/anything`, { method: "POST", headers: { "content-type": "application/json" }, body: '{"order":42}' });
console.log(answer.status, await answer.text());
const stream = await fetch(`${url}/v1/stream`);
let events = 0;
for await (const piece of stream.body) if (Buffer.from(piece).includes("data:")) events++;
console.log("events", events);
https.get(`${url}/anything`, async (answer) => {
  let text = "";
  for await (const piece of answer) text += piece;
  console.log(answer.statusCode, text);
});

// An SDK that takes a base URL and wants a key of its own.
const based = await fetch(`${process.env.SALLYPORT_TARGETS}echo/anything`, { headers: { authorization: "Bearer unused" } });
console.log(based.status, await based.text());
