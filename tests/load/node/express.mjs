// What people write for Uploadcare's webhooks with Express: the raw body, an HMAC over it, a
// comparison in constant time, and JSON whose form is not checked.

import { createHmac, timingSafeEqual } from "node:crypto";
import express from "express";
import { listen } from "./listen.mjs";

const secret = process.env.SIGNING_SECRET;
const app = express();
let taken;

function isSigned(body, signature = "") {
  const expected = Buffer.from(`v1=${createHmac("sha256", secret).update(body).digest("hex")}`);
  const given = Buffer.from(signature);
  return given.length === expected.length && timingSafeEqual(given, expected);
}

app.post("/hooks", express.raw({ type: "application/json", limit: "256kb" }), (request, response) => {
  if (!isSigned(request.body, request.get("X-Uc-Signature"))) {
    return response.sendStatus(401);
  }
  const payload = JSON.parse(request.body);
  taken = payload.data.uuid;
  response.sendStatus(204);
});

listen(app);
