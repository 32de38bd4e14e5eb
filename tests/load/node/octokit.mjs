// GitHub's receiver, as its README shows it. It is the same work on the same bytes: an HMAC-SHA256
// in a header, and JSON.

import { createNodeMiddleware, Webhooks } from "@octokit/webhooks";
import { listen } from "./listen.mjs";

const webhooks = new Webhooks({ secret: process.env.SIGNING_SECRET });
let taken;

webhooks.onAny(({ payload }) => {
  taken = payload.data.uuid;
});

listen(createNodeMiddleware(webhooks));
