// Node.js alone reads the body and answers.

import { listen } from "./listen.mjs";

let taken;

listen((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    taken = Buffer.concat(chunks);
    response.writeHead(204).end();
  });
});
