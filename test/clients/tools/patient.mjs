// A tool that goes on for longer than a credential lives: a request every half second, by what connections fetch keeps.
const [, , url, seconds] = process.argv;
const seen = {};
for (const until = Date.now() + Number(seconds) * 1000; Date.now() < until; await new Promise((resolve) => setTimeout(resolve, 500))) {
  const { status } = await fetch(`${url}/anything`).catch((error) => ({ status: error.cause?.code ?? error.message }));
  seen[status] = (seen[status] ?? 0) + 1;
}
console.log(JSON.stringify(seen));
