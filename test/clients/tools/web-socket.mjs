// A tool with Node's own WebSocket: no option speaks of a proxy, a CA or a key.
const first = (url) =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(url);
    socket.onerror = (event) => reject(event.error ?? new Error(event.message));
    socket.onmessage = ({ data }) => {
      socket.close();
      resolve(data);
    };
  });
console.log(await first(process.argv[2]));
console.log(await first(`${process.env.SALLYPORT_TARGETS.replace("http:", "ws:")}sockets/text`));
