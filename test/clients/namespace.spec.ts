import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { cli } from "../demo/process.ts";
import { describeWithTools, tools } from "../support/it-with.ts";
import { type EchoTarget, startEcho } from "./echo-target.ts";
import { newCanary, type ProxySite, proxySite } from "./proxy-site.ts";

describeWithTools([tools.bubblewrap, tools.curl, tools.python], "a tool in the namespace of sallyport run", function () {
  this.timeout(60_000);
  const canary = newCanary();
  let echo: EchoTarget;
  let site: ProxySite;
  before(async () => {
    echo = await startEcho("api.a.test", canary);
    site = await proxySite(canary, { echo: { server: echo, allow: ["GET /anything"] } });
  });
  after(async () => {
    await site?.stop();
    await echo?.stop();
  });
  const shell = (script: string, settings: Parameters<ProxySite["run"]>[1] = {}) => site.run(["sh", "-c", script], settings);

  it("uncovers nothing that is hidden, though root started it: not by umount, and not in namespaces that it makes", async () => {
    const saved = JSON.parse(readFileSync(`${site.home}/default.json`, "utf8"));
    const uncover = `for path in ${site.home} ${site.folder}/data /run; do umount $path; umount -l $path; done; cat ${site.home}/*.json; ls ${site.folder}/data /run`;
    const ways = ["", "unshare -Urm", "unshare -Um", "unshare -m", "setsid"];
    const { stdout } = await shell(`grep ^Cap /proc/self/status; ${ways.map((way) => `${way} sh -c '${uncover}'`).join("; ")}`);
    assert.equal(stdout.match(/^Cap\w+:\s*0{16}$/gm)?.length, 5, stdout);
    assert.ok(!stdout.includes(saved.credential.token) && !stdout.includes("PRIVATE KEY"));
    const listed = stdout.split("\n").filter((line) => line !== "" && !line.startsWith("Cap"));
    // umount makes itself a folder in /run.
    assert.deepEqual(new Set(listed.filter((line) => line !== "mount")), new Set([`${site.folder}/data:`, "/run:"]));
  });

  it("has neither disks nor the kernel's settings, whatever root owns of them", async () => {
    // What is written is what stands there, so that nothing happens where it succeeds.
    const settings = ["/proc/sys/kernel/core_pattern", "/proc/sys/vm/swappiness"];
    const writes = settings.map((path) => `(cat ${path} > ${path}) && echo wrote ${path}`);
    const { stdout } = await shell(`find /dev -type b -o -name 'tty?*' -o -name mem; ${writes.join("; ")}`);
    assert.equal(stdout, "");
  });

  it("reads no withheld variable in any process that it sees, and reaches no socket that one of them names", async () => {
    const agent = `${site.folder}/agent.1`;
    const answers = createServer((socket) => socket.end("the agent's answer"));
    answers.listen(agent);
    await once(answers, "listening");
    const env = {
      SSH_AUTH_SOCK: agent,
      DBUS_SESSION_BUS_ADDRESS: `unix:path=${agent},guid=1`,
      DOCKER_HOST: `unix://${agent}`,
      SALLYPORT_PROFILE: "default",
      KEPT_AS_IT_IS: "kept",
    };
    try {
      const connect = `python3 -c 'import socket; s = socket.socket(socket.AF_UNIX); s.connect("${agent}"); print(s.recv(99))'`;
      const { stdout, stderr } = await shell(`cat /proc/*/environ /proc/*/cmdline | tr '\\0' '\\n'; ${connect}`, { env });
      assert.ok(!/SSH_AUTH_SOCK|DBUS_SESSION|DOCKER_HOST|SALLYPORT_(?!TARGETS)/.test(stdout), stdout);
      assert.ok(!stdout.includes("the agent's answer"));
      assert.match(stderr, /ConnectionRefusedError|FileNotFoundError/);
      assert.ok((stdout.match(/^KEPT_AS_IT_IS=kept$/gm)?.length ?? 0) >= 2, stdout);
    } finally {
      answers.close();
    }
  });

  describe("started at a terminal", () => {
    /** @param steps what is awaited, and then typed, in turn */
    const atTerminal = (steps: readonly string[], script: string) => {
      const driver = fileURLToPath(new URL("tools/terminal.py", import.meta.url));
      const words = [driver, ...steps, "--", process.execPath, cli, "run", "-c", site.configFile, "--", "sh", "-c", script];
      const ran = spawn("python3", words, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, SALLYPORT_HOME: site.home } });
      let shown = "";
      for (const stream of [ran.stdout, ran.stderr]) stream.setEncoding("utf8").on("data", (text) => (shown += text));
      return once(ran, "close").then(([code]) => ({ code: code as number, shown }));
    };

    it("types nothing into it, by whatever of its names", async () => {
      const type = (path: string) =>
        `python3 -c 'import fcntl, os, termios; fcntl.ioctl(os.open("${path}", os.O_RDWR), termios.TIOCSTI, b"#")' && echo typed`;
      const { code, shown } = await atTerminal(
        [],
        `${["/dev/tty", "/proc/self/fd/0", "/dev/console"].map(type).join("; ")}; echo "the end"; exit 3`,
      );
      assert.match(shown, /the end/);
      assert.doesNotMatch(shown, /^typed|#/m);
      assert.equal(code, 3);
    });

    it("reads what is typed, and gets Ctrl-C once", async () => {
      const script = `echo ready; read -r line; echo "read: $line"; trap 'echo interrupted' INT; echo waiting; sleep 2 & wait; wait; exit 5`;
      const { code, shown } = await atTerminal(["ready", "hello\n", "waiting", "\x03"], script);
      assert.match(shown, /read: hello/);
      assert.equal(shown.match(/interrupted/g)?.length, 1, shown);
      assert.equal(code, 5);
    });
  });

  it("finds what tools need: files of its own, devices, processes, the proxy and its exit code", async () => {
    const script = [
      `cd ${site.folder} && mkdir -p work && echo a > work/b && cat work/b && chmod 600 work/b`,
      "head -c 4 /dev/urandom | wc -c",
      "echo c > /dev/shm/d && cat /dev/shm/d && mktemp > /dev/null",
      "(sleep 0.1 & wait) && ls /proc/self/fd > /dev/null && python3 -c 'import multiprocessing; print(multiprocessing.Lock() is not None)'",
      `curl -sS https://api.a.test:${echo.port}/anything -o /dev/null -w '%{http_code}\\n'`,
      "exit 7",
    ].join("; ");
    const { code, stdout, stderr } = await shell(script);
    assert.deepEqual([code, stdout], [7, "a\n4\nc\nTrue\n200\n"], stderr);
    // As the page says: what it writes stays.
    assert.equal(readFileSync(`${site.folder}/work/b`, "utf8"), "a\n");
  });
});
