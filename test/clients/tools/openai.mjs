// OpenAI's own client, told nothing but a base URL: by the proxy, then at the reverse path. It wants a key; any will do.
import OpenAI from "openai";

for (const baseURL of [process.argv[2], `${process.env.SALLYPORT_TARGETS}llm/v1`]) {
  const client = new OpenAI({ baseURL, apiKey: "unused", maxRetries: 0 });
  const stream = await client.chat.completions.create({
    model: "local",
    messages: [{ role: "user", content: "Who are you?" }],
    stream: true,
  });
  let text = "";
  let deltas = 0;
  const began = Date.now();
  let first = 0;
  for await (const { choices } of stream) {
    first ||= Date.now() - began;
    text += choices[0]?.delta?.content ?? "";
    deltas++;
  }
  const { data } = await client.models.list();
  console.log(JSON.stringify({ text, deltas, models: data.map(({ id }) => id), early: first < Date.now() - began - 100 }));
}
