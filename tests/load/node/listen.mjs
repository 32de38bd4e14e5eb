// Serves on a free port, and prints the address when the server can be reached.

import { createServer } from "node:http";

export function listen(answer) {
  const server = createServer(answer);
  server.listen(0, "127.0.0.1", () => console.log(`127.0.0.1:${server.address().port}`));
}
